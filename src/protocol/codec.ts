/** What every protocol decoder looks like, and the one table of reasons for which input is refused. */

/**
 * A resumable reader of bytes. The input may be cut anywhere: the events are the same. Pulled and not pushed out,
 * so that the owner can leave a pipelined request unread while the one before it is still being answered.
 */
export interface Decoder<Event> {
  /** Takes the next bytes. The chunk must not change afterwards: events may be views of it. */
  push(chunk: Buffer): void;
  /** The next event, or undefined when more bytes are needed. Throws ProtocolError; after that the decoder is dead. */
  next(): Event | undefined;
  /** The input is over: throws ProtocolError "truncated" inside a message. */
  end(): void;
}

/** Every reason to refuse a request, the status that answers it, and the sentence for the operator. */
export const PROTOCOL_ERRORS = {
  "bad-request-line": { status: 400, text: "the request line is not METHOD SP TARGET SP HTTP/1.x" },
  "bad-method": { status: 400, text: "the method has a byte that no token has" },
  "method-too-long": { status: 501, text: "the method is longer than any known one" },
  "connect-refused": { status: 501, text: "CONNECT is for proxies" },
  "bad-target": { status: 400, text: "the request target is malformed" },
  "target-too-long": { status: 414, text: "the request line is over its limit" },
  "bad-version": { status: 505, text: "the version is neither HTTP/1.0 nor HTTP/1.1" },
  "bare-cr": { status: 400, text: "a CR is not followed by LF" },
  "bare-lf": { status: 400, text: "an LF is not preceded by CR" },
  "bad-header-name": {
    status: 400,
    text: "a header name is empty or has a byte that no token has",
  },
  "space-before-colon": { status: 400, text: "white space stands before a header's colon" },
  "obs-fold": { status: 400, text: "a header line begins with white space" },
  "bad-header-value": { status: 400, text: "a header value has a control byte" },
  "head-too-large": { status: 431, text: "the head is over its size limit" },
  "too-many-headers": { status: 431, text: "the head has more header lines than allowed" },
  "missing-host": { status: 400, text: "an HTTP/1.1 request has no Host" },
  "repeated-host": { status: 400, text: "there is more than one Host" },
  "bad-host": { status: 400, text: "the Host is not a host with an optional port" },
  "bad-content-length": { status: 400, text: "the Content-Length is not a decimal number" },
  "repeated-content-length": { status: 400, text: "there is more than one Content-Length" },
  "both-lengths": { status: 400, text: "there are both Content-Length and Transfer-Encoding" },
  "bad-transfer-encoding": { status: 400, text: "the Transfer-Encoding is malformed or repeated" },
  "unknown-transfer-encoding": { status: 501, text: "the Transfer-Encoding is not just chunked" },
  "transfer-encoding-in-1.0": { status: 400, text: "an HTTP/1.0 request has a Transfer-Encoding" },
  "repeated-content-type": { status: 400, text: "there is more than one Content-Type" },
  "unknown-expectation": { status: 417, text: "the Expect is not 100-continue" },
  "body-too-large": { status: 413, text: "the body is over its limit" },
  "bad-chunk-size": { status: 400, text: "a chunk size is not a hexadecimal number" },
  "bad-chunk-extension": { status: 400, text: "a chunk extension is malformed" },
  "chunk-extensions-too-large": { status: 413, text: "the chunk extensions are over their limit" },
  "bad-trailer": { status: 400, text: "a trailer names a length, a coding or a host" },
  "bad-chunk-end": { status: 400, text: "the data of a chunk is not followed by CRLF" },
  truncated: { status: 400, text: "the input ends inside a message" },
  "head-timeout": { status: 408, text: "the head did not arrive in time" },
  "body-timeout": { status: 408, text: "the body stayed silent for too long" },
} as const satisfies Record<string, { readonly status: number; readonly text: string }>;

export type ProtocolErrorCode = keyof typeof PROTOCOL_ERRORS;

/** Input that must not be understood. `offset` counts bytes from the start of the connection. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly code: ProtocolErrorCode;
  readonly offset: number;
  readonly status: number;

  constructor(code: ProtocolErrorCode, offset: number) {
    super(`Cannot read the message at byte ${offset}: ${PROTOCOL_ERRORS[code].text}`);
    this.code = code;
    this.offset = offset;
    this.status = PROTOCOL_ERRORS[code].status;
  }
}
