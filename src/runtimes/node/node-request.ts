/** `http.IncomingMessage` over an Exchange: a real one, fed by our codec instead of Node's parser. */
import { IncomingMessage } from "node:http";
import type { Exchange } from "../../server/exchange.ts";
import type { Flight } from "./flights.ts";

/** What Node's class has beyond its public types; the same in Node 24 and 26. */
interface IncomingInternals {
  _addHeaderLines(headers: readonly string[], count: number): void;
  _consumed: boolean;
  _readableState: { readingMore: boolean };
}

/**
 * Everything that is not an override is static or private: Express changes the prototype of a request, and what is
 * found on it must look like Node's own (see adopt-prototype.ts).
 */
export class NodeRequest extends IncomingMessage {
  readonly exchange: Exchange;
  readonly flight: Flight;
  /** Set by the response, which keeps the timer for both. */
  onTimeoutWanted: ((timeoutMs: number) => void) | undefined = undefined;
  #flowing = false;
  #paused = false;
  #over = false;
  /** Answered: its end is no abort. */
  #released = false;
  /** Ended by the front, which does with the connection what is right. */
  #isCut = false;
  #controller: AbortController | undefined;

  constructor(exchange: Exchange, flight: Flight) {
    super(exchange.socket);
    const { head } = exchange;
    this.exchange = exchange;
    this.flight = flight;
    this.method = head.method;
    this.url = head.target;
    this.httpVersionMajor = 1;
    this.httpVersionMinor = head.minor;
    this.httpVersion = head.minor === 1 ? "1.1" : "1.0";
    (this as unknown as IncomingInternals)._addHeaderLines(head.headers, head.headers.length);
    if (head.body.kind === "none") this.complete = true;
  }

  static owns(value: unknown): boolean {
    return typeof value === "object" && value !== null && #flowing in value;
  }

  /** Lets the body come, which sends "100 Continue" to a client that waits for it. */
  static flow(request: NodeRequest): void {
    request.#flow();
  }

  /** The client is gone, or the body will never be whole. */
  static cut(request: NodeRequest, reason: string): void {
    request.#cut(reason);
  }

  /** The exchange is over: what was not read is nobody's business any more. */
  static release(request: NodeRequest): void {
    if (request.destroyed) return;
    request.#over = true;
    request.#released = true;
    request.complete = true;
    // Without a reader or a listener nobody could tell whether it is destroyed.
    if (request.listenerCount("close") > 0 || request.readableFlowing !== null) request.destroy();
  }

  /** Aborted when the client leaves; Node's own listens on the socket, which outlives the request here. */
  static signalOf(request: NodeRequest): AbortSignal {
    if (request.#controller === undefined) {
      request.#controller = new AbortController();
      if (request.aborted) request.#controller.abort();
    }
    return request.#controller.signal;
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
    } else if (!this.#flowing) this.#flow();
    else if (this.#paused) {
      this.#paused = false;
      this.exchange.resumeBody();
    }
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const unfinished = !this.#released && (!this.complete || !this.readableEnded);
    if (unfinished && !this.aborted) {
      this.aborted = true;
      this.emit("aborted");
      this.#controller?.abort();
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

  #flow(): void {
    if (this.#flowing || this.#over) return;
    this.#flowing = true;
    this.exchange.readBody({
      data: (chunk) => {
        if (this.#over) return true;
        const more = this.push(chunk);
        this.#paused = !more;
        return more;
      },
      end: (trailers) => {
        if (this.#over) return;
        this.#over = true;
        this.complete = true;
        (this as unknown as IncomingInternals)._addHeaderLines(trailers, trailers.length);
        this.push(null);
      },
      abort: (reason) => {
        // Over with its response: nobody's business. `onAbort` tells of a client that left.
        if (!this.exchange.done) this.#cut(reason);
      },
    });
  }

  #cut(reason: string): void {
    if (this.destroyed) return;
    this.#over = true;
    this.#isCut = true;
    this.destroy(connectionReset(reason));
  }
}

Object.defineProperty(NodeRequest.prototype, "signal", {
  configurable: true,
  get(this: NodeRequest): AbortSignal {
    return NodeRequest.signalOf(this);
  },
});

function connectionReset(reason: string): Error {
  return Object.assign(new Error("aborted"), { code: "ECONNRESET", reason });
}
