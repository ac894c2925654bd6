/** Which header fields travel through the front, in both directions (RFC 9110 §7.6). */
import type { RequestHead } from "../../protocol/request.ts";

/** Fields that belong to one connection, or that the front writes anew. */
const NEVER_FORWARDED: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "transfer-encoding",
  "content-length",
  "upgrade",
]);

/** Said by the front alone: a client that sends one of them could pretend to be somebody else. */
const SAID_BY_FRONT = /^(?:x-forwarded-.*|forwarded|x-real-ip|host|expect|proxy)$/;

/** Fields that no Connection header can take away from a request. */
export interface Origin {
  /** Address of the client; "" for a unix socket. */
  readonly address: string;
  readonly secure: boolean;
  /** Used as Host when the client sent none (HTTP/1.0). */
  readonly fallbackHost: string;
}

/** Header fields of the request to the program, flat, without framing. */
export function forwardRequestHeaders(head: RequestHead, origin: Origin): readonly string[] {
  const dropped = nominated(head.headers);
  const host = head.host === "" ? origin.fallbackHost : head.host;
  const headers = ["Host", host];
  copyHeaders(headers, head.headers, dropped, (lower) => !SAID_BY_FRONT.test(lower));
  headers.push("X-Forwarded-For", origin.address === "" ? "unix:" : origin.address);
  headers.push("X-Forwarded-Proto", origin.secure ? "https" : "http");
  if (head.host !== "") headers.push("X-Forwarded-Host", head.host);
  return headers;
}

/** Header fields of the program's response, flat, without framing and trailers. */
export function forwardResponseHeaders(received: readonly string[]): readonly string[] {
  const headers: string[] = [];
  copyHeaders(headers, received, nominated(received), (lower) => lower !== "trailer");
  return headers;
}

/** Methods whose repetition changes nothing (RFC 9110 §9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PUT",
  "DELETE",
]);

const MOST_TRIES = 4;

export interface FailedTry {
  readonly method: string;
  readonly hasBody: boolean;
  /** The connection had answered a request before. */
  readonly reused: boolean;
  /** Bytes of the request may have reached the program. */
  readonly sent: boolean;
  /** Bytes of a response have arrived. */
  readonly answered: boolean;
  readonly tries: number;
}

/** Whether a request whose connection was lost may be sent once more without any risk of doing a thing twice. */
export function mayRetry(attempt: FailedTry): boolean {
  if (attempt.answered) return false;
  // Refused: the worker has died, or is about to.
  if (!attempt.sent) return attempt.tries < MOST_TRIES;
  return (
    attempt.tries === 1 && attempt.reused && !attempt.hasBody && IDEMPOTENT.has(attempt.method)
  );
}

function copyHeaders(
  to: string[],
  from: readonly string[],
  dropped: ReadonlySet<string>,
  wanted: (lowerName: string) => boolean,
): void {
  for (let index = 0; index + 1 < from.length; index += 2) {
    const name = from[index] ?? "";
    const lower = name.toLowerCase();
    if (NEVER_FORWARDED.has(lower) || dropped.has(lower) || !wanted(lower)) continue;
    to.push(name, from[index + 1] ?? "");
  }
}

const NOTHING: ReadonlySet<string> = new Set();

/** Names listed in Connection. */
function nominated(headers: readonly string[]): ReadonlySet<string> {
  let names: Set<string> | undefined;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index];
    if (name?.length !== 10 || name.toLowerCase() !== "connection") continue;
    for (const token of (headers[index + 1] ?? "").split(",")) {
      names ??= new Set();
      names.add(token.trim().toLowerCase());
    }
  }
  return names ?? NOTHING;
}
