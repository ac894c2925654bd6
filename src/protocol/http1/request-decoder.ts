/** The server's side of HTTP/1: bytes of a connection to request heads, body data and ends. */
import type { HttpLimits } from "../../config/vassal-config.ts";
import { ProtocolError } from "../codec.ts";
import type { Decoder, ProtocolErrorCode } from "../codec.ts";
import type { RequestHead } from "../request.ts";
import { BodyDecoder } from "./body-decoder.ts";
import { readFraming } from "./framing.ts";
import type { Framing } from "./framing.ts";
import { TOKEN_BYTES, parseFieldLine } from "./grammar.ts";
import { parseRequestLine } from "./request-line.ts";
import type { RequestLine } from "./request-line.ts";

/** A head whose body is "none" is followed by the next head; any other by data and one end. */
export type RequestEvent =
  | { readonly type: "head"; readonly head: RequestHead }
  | { readonly type: "data"; readonly chunk: Buffer }
  | { readonly type: "end"; readonly trailers: readonly string[] };

export type RequestLimits = Pick<
  HttpLimits,
  "maxTargetBytes" | "maxHeadBytes" | "maxHeaders" | "maxBodyBytes"
>;

const CR = 13;
const LF = 10;
const EMPTY = Buffer.alloc(0);
/** Text is made of so many bytes at a time: a head fits nearly always, and a body behind it is not converted. */
const WINDOW = 8192;

/** Header lines that were read before, with their meaning: the next request of a connection mostly repeats them. */
interface KnownBlock {
  /** From the first header to the empty line, with both. */
  readonly text: string;
  readonly fields: readonly string[];
  readonly framing: Framing;
  readonly minor: 0 | 1;
}

/**
 * Heads are read line by line, each once its LF has arrived, as latin1 text: so an error is the same wherever the
 * input was cut. One instance serves a whole connection.
 */
export class RequestDecoder implements Decoder<RequestEvent> {
  readonly #limits: RequestLimits;
  #chunk: Buffer = EMPTY;
  #position = 0;
  /** Bytes of the connection before #chunk. */
  #before = 0;
  /** chunk[#textStart, #textEnd) as text. */
  #text = "";
  #textStart = 0;
  #textEnd = 0;
  #line: RequestLine | undefined;
  #fields: string[] = [];
  #fieldLines = 0;
  #headBytes = 0;
  #sawEmptyLine = false;
  #known: KnownBlock | undefined;
  #body: BodyDecoder | undefined;
  #failure: ProtocolError | undefined;

  constructor(limits: RequestLimits) {
    this.#limits = limits;
  }

  /** Bytes that were pushed but not read yet. */
  get buffered(): number {
    return this.#chunk.length - this.#position;
  }

  /** True between the first byte of a head and its end. */
  get insideHead(): boolean {
    return this.#line !== undefined || (this.#body === undefined && this.buffered > 0);
  }

  /** The request line of an unfinished head, for the log of a refused request. */
  get requestLine(): RequestLine | undefined {
    return this.#line;
  }

  /** Body bytes still to come for the request whose head was read last; undefined when chunked. */
  get bodyRemaining(): number | undefined {
    return this.#body === undefined ? 0 : this.#body.remainingBytes;
  }

  push(chunk: Buffer): void {
    this.#before += this.#position;
    this.#chunk =
      this.#position === this.#chunk.length
        ? chunk
        : Buffer.concat([this.#chunk.subarray(this.#position), chunk]);
    this.#position = 0;
    this.#text = "";
    this.#textStart = 0;
    this.#textEnd = 0;
  }

  next(): RequestEvent | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#body === undefined ? this.#nextHead() : this.#nextBody(this.#body);
  }

  end(): void {
    if (this.insideHead || this.#body !== undefined) this.#refuse("truncated");
  }

  #nextBody(body: BodyDecoder): RequestEvent | undefined {
    if (!body.done) {
      let chunk: Buffer | undefined;
      try {
        chunk = body.read(this.#chunk, this.#position);
      } catch (error) {
        throw error instanceof ProtocolError ? this.#fail(error.code, error.offset) : error;
      }
      this.#position = body.position;
      if (chunk !== undefined) return { type: "data", chunk };
      if (!body.done) return undefined;
    }
    this.#body = undefined;
    return { type: "end", trailers: body.trailers };
  }

  #nextHead(): RequestEvent | undefined {
    if (this.#line === undefined && !this.#readRequestLine()) return undefined;
    const line = this.#line;
    if (line === undefined) return undefined;
    const known = this.#known;
    if (known !== undefined && this.#fieldLines === 0 && this.#repeats(known, line)) {
      return this.#finish(line, known.fields, known.framing);
    }
    const blockStart = this.#position;
    const isWhole = this.#fieldLines === 0;
    if (!this.#readFields()) return undefined;
    const fields = this.#fields;
    const framing = readFraming(fields, line.minor);
    if (typeof framing === "string") return this.#refuse(framing);
    if (isWhole && blockStart >= this.#textStart) {
      const text = this.#text.slice(blockStart - this.#textStart, this.#position - this.#textStart);
      this.#known = { text, fields, framing, minor: line.minor };
    }
    return this.#finish(line, fields, framing);
  }

  /** True when the same header lines come again; they are then consumed. */
  #repeats(known: KnownBlock, line: RequestLine): boolean {
    if (known.minor !== line.minor || this.#position < this.#textStart) return false;
    if (!this.#text.startsWith(known.text, this.#position - this.#textStart)) return false;
    this.#headBytes += known.text.length;
    if (this.#headBytes > this.#limits.maxHeadBytes) this.#refuse("head-too-large");
    this.#position += known.text.length;
    return true;
  }

  #finish(line: RequestLine, fields: readonly string[], framing: Framing): RequestEvent {
    const { body } = framing;
    if (body.kind === "length" && body.bytes > this.#limits.maxBodyBytes) {
      this.#refuse("body-too-large");
    }
    const { method, target, minor, authority } = line;
    const head: RequestHead = {
      method,
      target,
      minor,
      headers: authority === undefined ? fields : withHost(fields, authority),
      body,
      keepAlive: framing.keepAlive,
      expectsContinue: framing.expectsContinue,
      ...(framing.upgrade === undefined ? undefined : { upgrade: framing.upgrade }),
      host: authority ?? framing.host,
    };
    if (body.kind !== "none") this.#body = new BodyDecoder(body, this.#limits);
    this.#line = undefined;
    if (this.#fieldLines > 0) {
      this.#fields = [];
      this.#fieldLines = 0;
    }
    this.#headBytes = 0;
    this.#sawEmptyLine = false;
    return { type: "head", head };
  }

  /** Reads the request line, after at most one empty line (RFC 9112 §2.2). */
  #readRequestLine(): boolean {
    for (;;) {
      if (this.#position === this.#chunk.length) return false;
      const first = this.#chunk[this.#position] ?? 0;
      // Known from its first byte: no request, for instance a TLS greeting, which has no LF to wait for.
      if (first !== CR && TOKEN_BYTES[first] !== 1) {
        this.#refuse(first === LF ? "bare-lf" : "bad-method");
      }
      const lf = this.#findLineEnd(this.#limits.maxTargetBytes, "target-too-long");
      if (lf === -1) return false;
      const start = this.#position - this.#textStart;
      if (lf === start + 1 && !this.#sawEmptyLine) {
        this.#sawEmptyLine = true;
        this.#position += 2;
        continue;
      }
      if (lf === start + 1) this.#refuse("bad-request-line");
      const line = parseRequestLine(this.#text, start, lf - 1);
      if (typeof line === "string") return this.#refuse(line);
      this.#line = line;
      this.#headBytes = lf + 1 - start;
      this.#position += lf + 1 - start;
      return true;
    }
  }

  /** Reads header lines up to the empty one; false when more bytes are needed. */
  #readFields(): boolean {
    for (;;) {
      const lf = this.#findLineEnd(this.#limits.maxHeadBytes - this.#headBytes, "head-too-large");
      if (lf === -1) return false;
      const start = this.#position - this.#textStart;
      const length = lf + 1 - start;
      if (length > 2) this.#readField(start, lf - 1);
      this.#position += length;
      this.#headBytes += length;
      if (length === 2) return true;
    }
  }

  #readField(start: number, end: number): void {
    const fields = this.#fields;
    const problem = parseFieldLine(this.#text, start, end, fields);
    if (problem !== undefined) this.#refuse(problem);
    this.#fieldLines += 1;
    if (this.#fieldLines > this.#limits.maxHeaders) this.#refuse("too-many-headers");
    if (isDropped(fields[fields.length - 2] ?? "")) fields.length -= 2;
  }

  /** Index in #text of the LF that ends the line at #position, or -1. The line with its CRLF has at most `limit` bytes. */
  #findLineEnd(limit: number, code: ProtocolErrorCode): number {
    let lf = -1;
    if (this.#position < this.#textEnd) {
      lf = this.#text.indexOf("\n", this.#position - this.#textStart);
    }
    if (lf === -1 && this.#textEnd < this.#chunk.length) {
      this.#readText(WINDOW);
      lf = this.#text.indexOf("\n");
      if (lf === -1 && this.#textEnd < this.#chunk.length) {
        this.#readText(limit + 1);
        lf = this.#text.indexOf("\n");
      }
    }
    const start = this.#position - this.#textStart;
    const length = lf === -1 ? this.#textEnd - this.#position : lf + 1 - start;
    if (length > limit) this.#refuse(code);
    if (lf !== -1 && (lf === start || this.#text.charCodeAt(lf - 1) !== CR))
      this.#refuse("bare-lf");
    return lf;
  }

  #readText(bytes: number): void {
    this.#textStart = this.#position;
    this.#textEnd = Math.min(this.#chunk.length, this.#position + bytes);
    this.#text = this.#chunk.toString("latin1", this.#textStart, this.#textEnd);
  }

  #refuse(code: ProtocolErrorCode): never {
    throw this.#fail(code, this.#position);
  }

  #fail(code: ProtocolErrorCode, offset: number): ProtocolError {
    this.#failure = new ProtocolError(code, this.#before + offset);
    return this.#failure;
  }
}

/**
 * Headers an application must never see: a name with "_" becomes the same CGI variable as the one with "-" (nginx drops them too),
 * and "Proxy" becomes HTTP_PROXY, which many HTTP clients obey (CVE-2016-5385, httpoxy).
 */
function isDropped(name: string): boolean {
  return name.includes("_") || (name.length === 5 && name.toLowerCase() === "proxy");
}

/** The headers with the authority of an absolute-form target for their Host (RFC 9112 §3.2.2). */
function withHost(fields: readonly string[], authority: string): readonly string[] {
  const kept = [...fields];
  for (let index = 0; index < kept.length; index += 2) {
    if (kept[index]?.toLowerCase() === "host") {
      kept[index + 1] = authority;
      return kept;
    }
  }
  return ["Host", authority, ...kept];
}
