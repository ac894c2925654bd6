/** A web stream to a client: no faster than the client takes it, and cancelled when the client is gone. */
import type { Exchange } from "../../server/exchange.ts";

/** Resolves when the response has ended or the client is gone; rejects with the stream's own error. */
export async function sendStream(
  exchange: Exchange,
  stream: ReadableStream<Uint8Array>,
): Promise<void> {
  const reader = stream.getReader();
  const turn = new Turn(exchange);
  turn.onGone = () => {
    // A source that cannot be cancelled has nobody to tell.
    reader.cancel(new DOMException("The client is gone", "AbortError")).catch(() => undefined);
  };
  for (;;) {
    const { done, value } = await reader.read();
    if (exchange.done) return;
    if (done) break;
    if (value.byteLength > 0 && !exchange.write(bufferOf(value))) await turn.drained();
    if (turn.gone) return;
  }
  exchange.end();
}

/** The exchange's callbacks as something to wait for, in front of those that are there already. */
class Turn {
  gone = false;
  onGone: (() => void) | undefined;
  #wake: (() => void) | undefined;

  constructor(exchange: Exchange) {
    const { onAbort } = exchange;
    exchange.onDrain = () => this.#wake?.();
    exchange.onAbort = () => {
      onAbort?.();
      this.gone = true;
      this.onGone?.();
      this.#wake?.();
    };
  }

  drained(): Promise<void> {
    if (this.gone) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function bufferOf(chunk: unknown): Buffer | string {
  if (typeof chunk === "string") return chunk;
  if (chunk instanceof Uint8Array) {
    return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  throw new TypeError("Cannot send a response body: a chunk is no Uint8Array");
}
