/**
 * The client's side of HTTP/1: bytes of a connection to a program, to response heads, body data and ends. As strict as
 * the server's side, because a response that can be read in two ways poisons the connection (RFC 9112 §6.3, §11.1).
 */
import { type Decoder, ProtocolError, type ProtocolErrorCode } from "../codec.ts";
import type { BodyFraming } from "../request.ts";
import { BodyDecoder } from "./body-decoder.ts";
import { listHas, parseContentLength, parseFieldLine } from "./grammar.ts";

export type ResponseEvent =
  /** 100 and 102-199, any number of them (bounded) before the final head. */
  | {
      readonly type: "informational";
      readonly status: number;
      readonly headers: readonly string[];
    }
  | { readonly type: "head"; readonly head: ReceivedHead }
  | { readonly type: "data"; readonly chunk: Buffer }
  | { readonly type: "end"; readonly trailers: readonly string[] };

export interface ReceivedHead {
  readonly status: number;
  readonly reason: string;
  /** Flat, as received. */
  readonly headers: readonly string[];
  /** What Content-Length says, also where no body follows (HEAD, 304); undefined when it is absent. */
  readonly contentLength: number | undefined;
  /** False for HEAD, 204 and 304: the event "end" follows at once. */
  readonly hasBody: boolean;
}

/** What a response may be refused for beyond the reasons of codec.ts. */
const PROBLEMS = {
  "bad-status-line": "the status line is not HTTP/1.x SP 3DIGIT SP reason",
  "bad-status": "the status is outside of 100 to 599",
  "switched-protocols": "it switched protocols without being asked",
  "too-many-informational": "there are too many informational responses",
  unasked: "it answers a request that was not made",
} as const;

export class ResponseError extends Error {
  override readonly name = "ResponseError";
  readonly code: keyof typeof PROBLEMS;

  constructor(code: keyof typeof PROBLEMS) {
    super(`Cannot read the response: ${PROBLEMS[code]}`);
    this.code = code;
  }
}

const LIMITS = {
  maxHeadBytes: 65_536,
  maxHeaders: 256,
  maxBodyBytes: Number.MAX_SAFE_INTEGER,
} as const;
const MAX_INFORMATIONAL = 16;
const WINDOW = 8192;
const CR = 13;
const EMPTY = Buffer.alloc(0);

type Phase = "idle" | "head" | "body" | "until-close" | "end" | "closed";

/** One instance serves one connection; `expect` announces each request. Not for pipelining. */
export class ResponseDecoder implements Decoder<ResponseEvent> {
  #phase: Phase = "idle";
  #method = "";
  #chunk: Buffer = EMPTY;
  #position = 0;
  /** Bytes of the connection before #chunk. */
  #before = 0;
  #minor: 0 | 1 = 1;
  /** Status of the head that is being read; 0 before its first line. */
  #status = 0;
  #reason = "";
  #fields: string[] = [];
  /** A line that has no end yet. */
  #line = "";
  #headBytes = 0;
  #informational = 0;
  #body: BodyDecoder | undefined;
  #persistent = true;
  #failed = false;

  /** A request with this method was sent. Throws TypeError while a response is under way or owed. */
  expect(method: string): void {
    if (!this.reusable) throw new TypeError("Cannot send a request: the connection is not free");
    this.#phase = "head";
    this.#method = method;
    this.#informational = 0;
    this.#startHead();
  }

  /** True when the last response is complete and a further request may be sent on the connection. */
  get reusable(): boolean {
    return this.#phase === "idle" && this.#persistent && !this.#failed && this.#left === 0;
  }

  /** True once a byte of the response to the present request has arrived. */
  get begun(): boolean {
    return this.#phase !== "head" || this.#headBytes > 0 || this.#informational > 0;
  }

  push(chunk: Buffer): void {
    this.#before += this.#position;
    this.#chunk = this.#left === 0 ? chunk : Buffer.concat([this.#rest(), chunk]);
    this.#position = 0;
  }

  next(): ResponseEvent | undefined {
    if (this.#failed) return undefined;
    try {
      return this.#step();
    } catch (error) {
      this.#failed = true;
      throw error;
    }
  }

  /** The program closed its side: the end of a body without a length, an error inside any other message. */
  end(): void {
    if (this.#phase === "until-close") this.#phase = "end";
    else if (this.#phase === "head" || this.#phase === "body") this.#refuse("truncated");
    this.#persistent = false;
  }

  #step(): ResponseEvent | undefined {
    switch (this.#phase) {
      case "idle":
        if (this.#left > 0) throw new ResponseError("unasked");
        return undefined;
      case "head":
        return this.#readHead();
      case "body":
        return this.#readBody();
      case "until-close":
        return this.#left === 0 ? undefined : { type: "data", chunk: this.#takeAll() };
      case "end": {
        const trailers = this.#body?.trailers ?? [];
        this.#body = undefined;
        this.#phase = this.#persistent ? "idle" : "closed";
        return { type: "end", trailers };
      }
      case "closed":
        return undefined;
    }
  }

  get #left(): number {
    return this.#chunk.length - this.#position;
  }

  #rest(): Buffer {
    return this.#chunk.subarray(this.#position);
  }

  #takeAll(): Buffer {
    const rest = this.#rest();
    this.#position = this.#chunk.length;
    return rest;
  }

  #startHead(): void {
    this.#status = 0;
    this.#fields = [];
    this.#line = "";
    this.#headBytes = 0;
  }

  /** Each line is judged as a whole once its LF is there, so that cuts cannot change the verdict. */
  #readHead(): ResponseEvent | undefined {
    while (this.#left > 0) {
      const end = Math.min(this.#chunk.length, this.#position + WINDOW);
      const text = this.#chunk.toString("latin1", this.#position, end);
      let start = 0;
      for (;;) {
        const lf = text.indexOf("\n", start);
        const stop = lf < 0 ? text.length : lf + 1;
        this.#headBytes += stop - start;
        if (this.#headBytes > LIMITS.maxHeadBytes) this.#refuse("head-too-large");
        this.#line += text.slice(start, stop);
        this.#position += stop - start;
        start = stop;
        if (lf < 0) break;
        const line = this.#line;
        this.#line = "";
        if (line.charCodeAt(line.length - 2) !== CR) this.#refuse("bare-lf");
        if (line.length > 2 || this.#status === 0) this.#readLine(line, line.length - 2);
        else return this.#finishHead();
      }
    }
    return undefined;
  }

  #readLine(line: string, end: number): void {
    if (this.#status === 0) return this.#readStatusLine(line.slice(0, end));
    const problem = parseFieldLine(line, 0, end, this.#fields);
    if (problem !== undefined) this.#refuse(problem);
    if (this.#fields.length > LIMITS.maxHeaders * 2) this.#refuse("too-many-headers");
    return undefined;
  }

  #readStatusLine(line: string): void {
    // The reason may be empty, and many leave out the space before it (RFC 9112 §4).
    const match = /^HTTP\/1\.([01]) (\d{3})(?: ([\t -~\u0080-\u00ff]*))?$/.exec(line);
    if (match === null) throw new ResponseError("bad-status-line");
    this.#minor = match[1] === "0" ? 0 : 1;
    this.#status = Number(match[2]);
    this.#reason = match[3] ?? "";
    if (this.#status < 100 || this.#status > 599) throw new ResponseError("bad-status");
  }

  #finishHead(): ResponseEvent {
    const status = this.#status;
    const headers = this.#fields;
    if (status < 200) return this.#finishInformational(status, headers);
    const framing = this.#readFraming(headers);
    const hasBody = this.#method !== "HEAD" && status !== 204 && status !== 304;
    const contentLength = framing?.kind === "length" ? framing.bytes : undefined;
    if (!hasBody || contentLength === 0) this.#phase = "end";
    else if (framing === undefined) {
      this.#phase = "until-close";
      this.#persistent = false;
    } else {
      this.#phase = "body";
      this.#body = new BodyDecoder(framing, LIMITS);
    }
    const head = { status, reason: this.#reason, headers, contentLength, hasBody };
    return { type: "head", head };
  }

  #finishInformational(status: number, headers: readonly string[]): ResponseEvent {
    if (status === 101) throw new ResponseError("switched-protocols");
    this.#informational += 1;
    if (this.#informational > MAX_INFORMATIONAL) throw new ResponseError("too-many-informational");
    this.#startHead();
    return { type: "informational", status, headers };
  }

  /** Undefined: the body lasts until the connection is closed. */
  #readFraming(headers: readonly string[]): BodyFraming | undefined {
    let length: string | undefined;
    let coding: string | undefined;
    let connection = "";
    for (let index = 0; index < headers.length; index += 2) {
      const name = headers[index]?.toLowerCase();
      const value = headers[index + 1] ?? "";
      if (name === "content-length") {
        if (length !== undefined) this.#refuse("repeated-content-length");
        length = value;
      } else if (name === "transfer-encoding") {
        if (coding !== undefined) this.#refuse("bad-transfer-encoding");
        coding = value;
      } else if (name === "connection") connection += `${value},`;
    }
    const stays = this.#minor === 1 || listHas(connection, "keep-alive");
    this.#persistent = stays && !listHas(connection, "close");
    if (coding !== undefined) {
      if (this.#minor === 0) this.#refuse("transfer-encoding-in-1.0");
      if (length !== undefined) this.#refuse("both-lengths");
      if (coding.toLowerCase() !== "chunked") this.#refuse("unknown-transfer-encoding");
      return { kind: "chunked" };
    }
    if (length === undefined) return undefined;
    const bytes = parseContentLength(length);
    return bytes === undefined ? this.#refuse("bad-content-length") : { kind: "length", bytes };
  }

  #readBody(): ResponseEvent | undefined {
    const body = this.#body;
    if (body === undefined) return undefined;
    const chunk = body.read(this.#chunk, this.#position);
    this.#position = body.position;
    if (chunk !== undefined && chunk.length > 0) return { type: "data", chunk };
    if (!body.done) return undefined;
    this.#phase = "end";
    return this.#step();
  }

  #refuse(code: ProtocolErrorCode): never {
    throw new ProtocolError(code, this.#before + this.#position);
  }
}
