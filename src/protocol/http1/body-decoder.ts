/** The body of one message whose framing is known: counted bytes or the chunked coding. */
import type { BodyFraming } from "../request.ts";
import { ChunkedDecoder } from "./chunked.ts";
import type { BodyLimits } from "./chunked.ts";

const NO_TRAILERS: readonly string[] = [];

/** Same calling rule as ChunkedDecoder: `read` from `position` until undefined, then look at `done`. */
export class BodyDecoder {
  position = 0;
  readonly #chunked: ChunkedDecoder | undefined;
  #remaining: number;

  constructor(framing: BodyFraming, limits: BodyLimits) {
    this.#chunked = framing.kind === "chunked" ? new ChunkedDecoder(limits) : undefined;
    this.#remaining = framing.kind === "length" ? framing.bytes : 0;
  }

  get done(): boolean {
    return this.#chunked === undefined ? this.#remaining === 0 : this.#chunked.done;
  }

  get trailers(): readonly string[] {
    return this.#chunked === undefined ? NO_TRAILERS : this.#chunked.trailers;
  }

  /** Bytes that are still to come, or undefined when only the end will tell. */
  get remainingBytes(): number | undefined {
    if (this.#chunked === undefined) return this.#remaining;
    return this.#chunked.done ? 0 : undefined;
  }

  read(chunk: Buffer, offset: number): Buffer | undefined {
    if (this.#chunked !== undefined) {
      const data = this.#chunked.read(chunk, offset);
      this.position = this.#chunked.position;
      return data;
    }
    const end = Math.min(chunk.length, offset + this.#remaining);
    this.position = end;
    if (end === offset) return undefined;
    this.#remaining -= end - offset;
    return offset === 0 && end === chunk.length ? chunk : chunk.subarray(offset, end);
  }
}
