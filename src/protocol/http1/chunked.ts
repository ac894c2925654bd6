/** The chunked transfer coding (RFC 9112 §7.1): decoder with bounded extensions and trailers, and the encoder's frame. */
import type { HttpLimits } from "../../config/vassal-config.ts";
import { ProtocolError } from "../codec.ts";
import type { ProtocolErrorCode } from "../codec.ts";
import { CHUNK_DIGITS_MAX, CHUNK_EXTENSIONS_MAX, CHUNK_LINE_MAX } from "../limits.ts";
import { parseFieldLine } from "./grammar.ts";

const CR = 13;
const LF = 10;
const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const QUOTED =
  '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t \\x21-\\x7e\\x80-\\xff])*"';
/** One extension; bad white space (BWS) is parsed as the RFC demands of recipients. */
const EXTENSION = new RegExp(
  `[\\t ]*;[\\t ]*${TOKEN}(?:[\\t ]*=[\\t ]*(?:${TOKEN}|${QUOTED}))?`,
  "y",
);

/** Fields that frame or route a message: whoever merged them would read another one (RFC 9110 §6.5.1). */
const FORBIDDEN_TRAILERS = new Set(["content-length", "transfer-encoding", "host"]);

export type BodyLimits = Pick<HttpLimits, "maxBodyBytes" | "maxHeadBytes" | "maxHeaders">;

type Phase = "size" | "data" | "data-cr" | "data-lf" | "trailer" | "done";

/**
 * Takes the coding off a body. `read` is called with the same chunk from `position` on until it returns undefined;
 * then either `done` is true or the next chunk is needed, from its offset 0.
 */
export class ChunkedDecoder {
  /** Offset in the chunk behind what the last `read` used. */
  position = 0;
  /** Flat like headers; complete once `done`. Never to be merged into the headers. */
  readonly trailers: string[] = [];
  readonly #limits: BodyLimits;
  #phase: Phase = "size";
  #remaining = 0;
  #total = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;
  /** A line that began in an earlier chunk. */
  #line = "";

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  get done(): boolean {
    return this.#phase === "done";
  }

  /** A view of the next body bytes in `chunk` from `offset` on. Throws ProtocolError with an offset in this chunk. */
  read(chunk: Buffer, offset: number): Buffer | undefined {
    this.position = offset;
    while (this.position < chunk.length) {
      switch (this.#phase) {
        case "size":
        case "trailer":
          this.#readLine(chunk);
          break;
        case "data":
          return this.#readData(chunk);
        case "data-cr":
          this.#expect(chunk, CR, "data-lf");
          break;
        case "data-lf":
          this.#expect(chunk, LF, "size");
          break;
        case "done":
          return undefined;
      }
    }
    return undefined;
  }

  #readData(chunk: Buffer): Buffer {
    const start = this.position;
    const end = Math.min(chunk.length, start + this.#remaining);
    this.#remaining -= end - start;
    if (this.#remaining === 0) this.#phase = "data-cr";
    this.position = end;
    return chunk.subarray(start, end);
  }

  #expect(chunk: Buffer, byte: number, next: Phase): void {
    if (chunk[this.position] !== byte) this.#refuse("bad-chunk-end");
    this.position += 1;
    this.#phase = next;
  }

  /** A size or trailer line is judged as a whole once its LF is there, so that cuts cannot change the verdict. */
  #readLine(chunk: Buffer): void {
    const lf = chunk.indexOf(LF, this.position);
    const end = lf === -1 ? chunk.length : lf;
    this.#checkLineLength(this.#line.length + end - this.position);
    this.#line += chunk.toString("latin1", this.position, end);
    this.position = lf === -1 ? end : end + 1;
    if (lf === -1) return;
    const line = this.#line;
    this.#line = "";
    if (line.charCodeAt(line.length - 1) !== CR) this.#refuse("bare-lf");
    if (this.#phase === "size") this.#takeSize(line, line.length - 1);
    else this.#takeTrailer(line, line.length - 1);
  }

  #checkLineLength(length: number): void {
    if (this.#phase === "size") {
      if (length > CHUNK_LINE_MAX) this.#refuse("chunk-extensions-too-large");
    } else if (this.#trailerBytes + length > this.#limits.maxHeadBytes) {
      this.#refuse("head-too-large");
    }
  }

  #takeSize(line: string, end: number): void {
    const digits = hexDigits(line, end);
    if (digits === 0 || digits > CHUNK_DIGITS_MAX) this.#refuse("bad-chunk-size");
    if (digits < end) this.#takeExtensions(line, digits, end);
    const size = Number.parseInt(line.slice(0, digits), 16);
    this.#total += size;
    if (this.#total > this.#limits.maxBodyBytes) this.#refuse("body-too-large");
    this.#remaining = size;
    this.#phase = size === 0 ? "trailer" : "data";
  }

  #takeExtensions(line: string, start: number, end: number): void {
    this.#extensionBytes += end - start;
    if (this.#extensionBytes > CHUNK_EXTENSIONS_MAX) this.#refuse("chunk-extensions-too-large");
    if (!/[\t ;]/.test(line.charAt(start))) this.#refuse("bad-chunk-size");
    EXTENSION.lastIndex = start;
    while (EXTENSION.lastIndex < end) {
      if (!EXTENSION.test(line)) this.#refuse("bad-chunk-extension");
    }
  }

  #takeTrailer(line: string, end: number): void {
    if (end === 0) {
      this.#phase = "done";
      return;
    }
    this.#trailerBytes += end + 2;
    const problem = parseFieldLine(line, 0, end, this.trailers);
    if (problem !== undefined) this.#refuse(problem);
    if (FORBIDDEN_TRAILERS.has(this.trailers.at(-2)?.toLowerCase() ?? ""))
      this.#refuse("bad-trailer");
    if (this.trailers.length > this.#limits.maxHeaders * 2) this.#refuse("too-many-headers");
  }

  #refuse(code: ProtocolErrorCode): never {
    throw new ProtocolError(code, this.position);
  }
}

function hexDigits(line: string, end: number): number {
  let index = 0;
  while (index < end) {
    const code = line.charCodeAt(index) | 32;
    const isHex = (code >= 97 && code <= 102) || (code >= 48 && code <= 57);
    // Setting bit 5 turns the control bytes 16-25 into digits: the original must be printable.
    if (!isHex || line.charCodeAt(index) < 48) break;
    index += 1;
  }
  return index;
}

/** What stands before the data of a chunk; behind it comes CRLF. Never call it with 0, which ends the body. */
export function chunkPrefix(bytes: number): string {
  return `${bytes.toString(16)}\r\n`;
}

/** The last chunk, without trailers. */
export const LAST_CHUNK = "0\r\n\r\n";
