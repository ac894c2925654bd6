/** How the end of a response body is made known to the client (RFC 9112 §6.3). */
import { isBodiless } from "./response-encoder.ts";

/** "none": no body bytes are sent, though a length may be announced (HEAD, 304). */
export type ResponseFraming = "none" | "length" | "chunked" | "close";

export interface FramingDecision {
  readonly framing: ResponseFraming;
  /** The length to announce, -1 for none. */
  readonly length: number;
}

/**
 * `declared` is the length the application announced, `whole` the length of a body that is complete before its head is sent;
 * -1 stands for unknown.
 */
export function responseFraming(
  status: number,
  method: string,
  minor: 0 | 1,
  declared: number,
  whole: number,
): FramingDecision {
  // 204 must not have a length (RFC 9110 §8.6); 304 may tell that of the representation.
  if (isBodiless(status)) return { framing: "none", length: status === 304 ? declared : -1 };
  // What a HEAD handler ends with says nothing about the length that GET would have.
  if (method === "HEAD") return { framing: "none", length: declared };
  const length = declared === -1 ? whole : declared;
  if (length >= 0) return { framing: "length", length };
  return { framing: minor === 1 ? "chunked" : "close", length: -1 };
}

/** The header line that says so. */
export function framingLine(framing: ResponseFraming, length: number): string {
  if (framing === "chunked") return "Transfer-Encoding: chunked\r\n";
  return length >= 0 ? `Content-Length: ${length}\r\n` : "";
}
