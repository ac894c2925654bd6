/** Sends parts of an open file as fast as the client takes them, one block in memory at a time. */
import type { Exchange } from "../../server/exchange.ts";
import type { OpenFile } from "./file-door.ts";
import type { BodyPart } from "./response-policy.ts";

const BLOCK_BYTES = 65_536;

/** Ends the exchange and closes the file, whatever happens. The response must have been started. */
export function sendParts(exchange: Exchange, file: OpenFile, parts: readonly BodyPart[]): void {
  new BodySender(exchange, file, parts).run();
}

class BodySender {
  readonly #exchange: Exchange;
  readonly #file: OpenFile;
  readonly #parts: readonly BodyPart[];
  #part = 0;
  /** Next byte of the current part. */
  #position = -1;

  constructor(exchange: Exchange, file: OpenFile, parts: readonly BodyPart[]) {
    this.#exchange = exchange;
    this.#file = file;
    this.#parts = parts;
  }

  run(): void {
    this.#exchange.onClose = () => this.#file.close();
    this.#exchange.onDrain = () => this.#next();
    this.#next();
  }

  #next(): void {
    if (this.#exchange.done) return this.#file.close();
    const part = this.#parts[this.#part];
    if (part === undefined) {
      this.#file.close();
      this.#exchange.end();
      return undefined;
    }
    if (part.kind === "text") {
      this.#part += 1;
      if (this.#exchange.write(part.text)) this.#next();
      return undefined;
    }
    if (this.#position < 0) this.#position = part.first;
    const left = part.last + 1 - this.#position;
    // A new block each time: the socket keeps what it was given until the kernel takes it.
    const block = Buffer.allocUnsafeSlow(Math.min(left, BLOCK_BYTES));
    this.#file.read(block, this.#position, (error, count) =>
      this.#took(part.last, block, error, count),
    );
    return undefined;
  }

  #took(last: number, block: Buffer, error: Error | null, count: number): void {
    if (this.#exchange.done) return this.#file.close();
    if (error !== null || count === 0) {
      this.#file.close();
      const cause = error?.message ?? `it ended at byte ${this.#position} while it was sent`;
      this.#exchange.fail(500, `Cannot read the file: ${cause}`);
      return undefined;
    }
    this.#position += count;
    if (this.#position > last) {
      this.#part += 1;
      this.#position = -1;
    }
    if (this.#exchange.write(count === block.length ? block : block.subarray(0, count)))
      this.#next();
    return undefined;
  }
}
