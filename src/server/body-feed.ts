/** The way of one request body to the sink that asked for it; sees to it that the sink hears of exactly one end. */
import type { BodySink } from "./exchange.ts";

export class BodyFeed {
  receivedBytes = 0;
  /** The whole body was read. */
  isComplete = false;
  #sink: BodySink | undefined;
  #isPaused = false;
  /** The sink was told the end, good or bad. */
  #isOver = false;

  /** True while bytes may be handed on. */
  get isFlowing(): boolean {
    return this.#sink !== undefined && !this.#isPaused && !this.#isOver;
  }

  attach(sink: BodySink): void {
    if (this.#sink !== undefined) throw new TypeError("Cannot read the body: it is being read");
    this.#sink = sink;
  }

  /** Returns true when this made it flow again. */
  resume(): boolean {
    if (!this.#isPaused) return false;
    this.#isPaused = false;
    return this.isFlowing;
  }

  data(chunk: Buffer): void {
    this.receivedBytes += chunk.length;
    if (this.#sink?.data(chunk) === false) this.#isPaused = true;
  }

  end(trailers: readonly string[]): void {
    this.isComplete = true;
    this.#isOver = true;
    this.#sink?.end(trailers);
  }

  /** The rest of the body will not come, or nobody wants it any more. */
  abort(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sink?.abort(reason);
  }
}
