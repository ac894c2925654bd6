/** Requests to a program as bytes of HTTP/1.1: written anew from parsed data, never copied through. */
import type { BodyFraming, RequestHead } from "../request.ts";
import { LAST_CHUNK, chunkPrefix } from "./chunked.ts";
import { TARGET_BYTES, VALUE_BYTES, isToken, isWithin } from "./grammar.ts";

/** Methods whose recipients expect a length even when there is no body (RFC 9110 §8.6). */
const BODY_METHODS: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/**
 * The head of a request as latin1 text, framing included. `headers` is flat and names no framing of its own. Throws
 * RangeError for anything that would be another message on the wire.
 *
 * @example encodeRequestHead({ method: "GET", target: "/", body: { kind: "none" } }, ["Host", "a"])
 *   => "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
 */
export function encodeRequestHead(
  line: Pick<RequestHead, "method" | "target" | "body">,
  headers: readonly string[],
): string {
  const { method, target, body } = line;
  if (!isToken(method)) throw new RangeError(`Cannot send the method ${JSON.stringify(method)}`);
  if (target === "" || !isWithin(TARGET_BYTES, target)) {
    throw new RangeError(`Cannot send the target ${JSON.stringify(target)}`);
  }
  let text = `${method} ${target} HTTP/1.1\r\n`;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? "";
    const value = headers[index + 1] ?? "";
    if (!isToken(name) || !isWithin(VALUE_BYTES, value)) {
      throw new RangeError(`Cannot send the header ${JSON.stringify(name)}: an illegal byte`);
    }
    text += `${name}: ${value}\r\n`;
  }
  return `${text}${framingLine(method, body)}\r\n`;
}

function framingLine(method: string, body: BodyFraming): string {
  switch (body.kind) {
    case "none":
      return BODY_METHODS.has(method) ? "Content-Length: 0\r\n" : "";
    case "length":
      return `Content-Length: ${body.bytes}\r\n`;
    case "chunked":
      return "Transfer-Encoding: chunked\r\n";
  }
}

/** What stands around the bytes of a body chunk: nothing when its length was announced. */
export function chunkFrame(
  body: BodyFraming,
  bytes: number,
): readonly [before: string, after: string] {
  return body.kind === "chunked" ? [chunkPrefix(bytes), "\r\n"] : ["", ""];
}

/** What ends a body. Trailers are not passed on: a program could mistake them for headers. */
export function bodyEnd(body: BodyFraming): string {
  return body.kind === "chunked" ? LAST_CHUNK : "";
}
