/** `http.IncomingMessage` over an Exchange: a real one, fed by our codec instead of Node's parser. */
import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { BodySink, Exchange } from "../../server/exchange.ts";

/** What Node's class has beyond its public types; the same in Node 24 and 26. */
interface IncomingInternals {
  _addHeaderLines(headers: readonly string[], count: number): void;
  _consumed: boolean;
  _readableState: { readingMore: boolean };
}

export class NodeRequest extends IncomingMessage implements BodySink {
  readonly exchange: Exchange;
  #flowing = false;
  #paused = false;
  #over = false;
  #released = false;
  #isCut = false;

  constructor(exchange: Exchange) {
    super(exchange.socket);
    const { head } = exchange;
    this.exchange = exchange;
    this.method = head.method;
    this.url = head.target;
    this.httpVersionMajor = 1;
    this.httpVersionMinor = head.minor;
    this.httpVersion = head.minor === 1 ? "1.1" : "1.0";
    (this as unknown as IncomingInternals)._addHeaderLines(head.headers, head.headers.length);
    if (head.body.kind === "none") this.complete = true;
  }

  override _read(): void {
    const internals = this as unknown as IncomingInternals;
    if (!internals._consumed) {
      internals._readableState.readingMore = false;
      internals._consumed = true;
    }
    if (this.#over) return;
    if (this.exchange.head.body.kind === "none") {
      this.#over = true;
      this.push(null);
    } else if (!this.#flowing) this.flow();
    else if (this.#paused) {
      this.#paused = false;
      this.exchange.resumeBody();
    }
  }

  /** Lets the body come, which sends "100 Continue" to a client that waits for it. */
  flow(): void {
    if (this.#flowing || this.#over) return;
    this.#flowing = true;
    this.exchange.readBody(this);
  }

  // BodySink

  data(chunk: Buffer): boolean {
    if (this.#over) return true;
    const more = this.push(chunk);
    this.#paused = !more;
    return more;
  }

  end(trailers: readonly string[]): void {
    if (this.#over) return;
    this.#over = true;
    this.complete = true;
    (this as unknown as IncomingInternals)._addHeaderLines(trailers, trailers.length);
    this.push(null);
  }

  abort(reason: string): void {
    // Over with its response: what was not read is nobody's business, and `onAbort` tells of a client that left.
    if (!this.exchange.done) this.cut(reason);
  }

  /** The client is gone, or the body will never be whole. */
  cut(reason: string): void {
    if (this.destroyed) return;
    this.#over = true;
    this.#isCut = true;
    this.destroy(connectionReset(reason));
  }

  /** The exchange is over: what was not read is nobody's business any more. */
  release(): void {
    if (this.destroyed) return;
    this.#over = true;
    this.#released = true;
    this.complete = true;
    if (this.listenerCount("close") > 0 || this.readableFlowing !== null) this.destroy();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const unfinished = !this.#released && (!this.complete || !this.readableEnded);
    if (unfinished && !this.aborted) {
      this.aborted = true;
      this.emit("aborted");
      CONTROLLERS.get(this)?.abort();
      // As in Node: an application that gives up a request gives up its connection.
      if (!this.exchange.done && !this.#isCut) this.exchange.socket.destroy();
    }
    const told = error !== null && this.listenerCount("error") > 0 ? error : null;
    process.nextTick(callback, told);
  }

  /** Idle time of this request, not of the connection, which is the front's. */
  override setTimeout(timeoutMs: number, callback?: () => void): this {
    if (callback !== undefined) this.on("timeout", callback);
    this.onTimeoutWanted?.(timeoutMs);
    return this;
  }

  onTimeoutWanted: ((timeoutMs: number) => void) | undefined = undefined;
  declare socket: Socket;
}

const CONTROLLERS = new WeakMap<NodeRequest, AbortController>();

// Node's own `signal` listens on the socket, which outlives the request here.
Object.defineProperty(NodeRequest.prototype, "signal", {
  get(this: NodeRequest): AbortSignal {
    let controller = CONTROLLERS.get(this);
    if (controller === undefined) {
      controller = new AbortController();
      CONTROLLERS.set(this, controller);
      if (this.aborted) controller.abort();
    }
    return controller.signal;
  },
});

function connectionReset(reason: string): Error {
  return Object.assign(new Error("aborted"), { code: "ECONNRESET", reason });
}
