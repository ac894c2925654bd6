/** Request bodies for fetch handlers: whole, or as a web stream with back-pressure. */
import type { BodySink, Exchange } from "../../server/exchange.ts";

const HIGH_WATER_BYTES = 65_536;

/** The whole body; rejects when the rest will never arrive. The front bounds its size. */
export function readWholeBody(exchange: Exchange): Promise<Buffer> {
  const whole = new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    exchange.readBody({
      data: (chunk) => {
        chunks.push(chunk);
        return true;
      },
      end: () => {
        const [first] = chunks;
        resolve(first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks));
      },
      abort: (reason) => reject(cutError(reason)),
    });
  });
  // A client that leaves must not end the worker because the handler did not wait for the body.
  whole.catch(() => undefined);
  return whole;
}

/** The body as a stream, made when an application first touches `request.body`: the flow begins with it. */
export function bodyStream(exchange: Exchange): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(new StreamSource(exchange), {
    highWaterMark: HIGH_WATER_BYTES,
    size: (chunk) => chunk?.byteLength ?? 0,
  });
}

class StreamSource implements BodySink {
  readonly #exchange: Exchange;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #state: "new" | "flowing" | "paused" | "over" = "new";

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
  }

  pull(): void {
    if (this.#state === "new") {
      this.#state = "flowing";
      this.#exchange.readBody(this);
    } else if (this.#state === "paused") {
      this.#state = "flowing";
      this.#exchange.resumeBody();
    }
  }

  /** Nobody wants the rest: it flows into nothing, within the front's limits. */
  cancel(): void {
    const wasPaused = this.#state === "paused";
    this.#state = "over";
    if (wasPaused) this.#exchange.resumeBody();
  }

  data(chunk: Buffer): boolean {
    if (this.#state === "over" || this.#controller === undefined) return true;
    this.#controller.enqueue(chunk);
    if ((this.#controller.desiredSize ?? 0) > 0) return true;
    this.#state = "paused";
    return false;
  }

  end(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#controller?.close();
  }

  abort(reason: string): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#controller?.error(cutError(reason));
  }
}

function cutError(reason: string): Error {
  return new DOMException(`Cannot read the request body: ${reason}`, "AbortError");
}
