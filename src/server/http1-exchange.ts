/** One HTTP/1 request and its response: the Exchange that a handler gets. The connection around it is Http1Connection. */
import { LAST_CHUNK, chunkPrefix } from "../protocol/http1/chunked.ts";
import { encodeFields, inspectLines, statusLine } from "../protocol/http1/response-encoder.ts";
import type { ResponseLines } from "../protocol/http1/response-encoder.ts";
import { headerValue } from "../protocol/request.ts";
import type { RequestHead, ResponseHead } from "../protocol/request.ts";
import { framingLine, responseFraming } from "../protocol/http1/response-framing.ts";
import type { ResponseFraming } from "../protocol/http1/response-framing.ts";
import { BodyFeed } from "./body-feed.ts";
import { errorPage } from "./error-page.ts";
import type { BodySink, Exchange, Peer } from "./exchange.ts";
import type { FrontShared } from "./front-shared.ts";
import type { ResponseWriter } from "./response-writer.ts";
import type { Socket } from "node:net";

/** What an exchange needs of its connection. */
export interface ExchangeOwner {
  readonly shared: FrontShared;
  readonly socket: Socket;
  readonly writer: ResponseWriter;
  readonly peer: Peer;
  /** Bytes behind the head have arrived. */
  readonly hasInput: boolean;
  /** False when the rest of the request body would have to be read for too long before the next request. */
  canContinueAfter(head: RequestHead): boolean;
  /** A started response has its head still here. */
  headHeld(): void;
  /** The sink wants (more of) the body. */
  bodyWanted(): void;
  /** Written text may go out unless the connection gathers a batch. */
  written(): void;
  responseDone(exchange: Http1Exchange, keep: boolean): void;
  /** The response can only be cut. `tell`: the handler does not know yet. */
  cut(tell: boolean): void;
}

const PHASE = { waiting: 0, held: 1, sending: 2, done: 3 } as const;
type Phase = (typeof PHASE)[keyof typeof PHASE];

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

const NO_LINES: ResponseLines = {
  text: "",
  contentLength: -1,
  hasDate: false,
  hasServer: false,
  close: false,
};

/** The lines that were inspected last: a worker mostly sends the same ones again. */
let inspected: { readonly lines: string; readonly result: ResponseLines } | undefined;

export class Http1Exchange implements Exchange {
  readonly head: RequestHead;
  onDrain: (() => void) | undefined = undefined;
  onAbort: (() => void) | undefined = undefined;
  onClose: (() => void) | undefined = undefined;
  readonly #owner: ExchangeOwner;
  #phase: Phase = PHASE.waiting;
  readonly #feed = new BodyFeed();
  #status = 0;
  #statusLine = "";
  #lines: ResponseLines = NO_LINES;
  #length = -1;
  #framing: ResponseFraming = "none";
  #sentBytes = 0;
  #keep = false;
  #continueSent = false;
  #excessReported = false;
  #ownPage = false;
  readonly #startedAtMs: number;

  constructor(owner: ExchangeOwner, head: RequestHead) {
    this.#owner = owner;
    this.head = head;
    this.#startedAtMs = owner.shared.writeEntry === undefined ? 0 : performance.now();
  }

  get peer(): Peer {
    return this.#owner.peer;
  }

  get socket(): Socket {
    return this.#owner.socket;
  }

  get secure(): boolean {
    return false;
  }

  get done(): boolean {
    return this.#phase === PHASE.done;
  }

  get started(): boolean {
    return this.#phase !== PHASE.waiting;
  }

  /** True while the head of the response can still be replaced by an error page. */
  get isUnsent(): boolean {
    return this.#phase <= PHASE.held;
  }

  /** True while body bytes may be handed on. */
  get takesBody(): boolean {
    return this.#feed.isFlowing;
  }

  readBody(sink: BodySink): void {
    if (this.#phase === PHASE.done) {
      sink.abort("the exchange is over");
      return;
    }
    this.#feed.attach(sink);
    if (this.head.body.kind === "none") {
      this.takeEnd([]);
      return;
    }
    this.#sendContinue();
    this.#owner.bodyWanted();
  }

  resumeBody(): void {
    if (this.#feed.resume() && this.#phase !== PHASE.done) this.#owner.bodyWanted();
  }

  informational(status: number, headers: readonly string[]): void {
    if (this.#phase !== PHASE.waiting || this.head.minor === 0) return;
    if (status < 102 || status > 199) {
      throw new RangeError(`Cannot send an informational response: status is ${status}`);
    }
    this.#owner.writer.text(`${statusLine(status)}${encodeFields(headers).text}\r\n`);
    this.#owner.writer.flush();
  }

  start(head: ResponseHead): void {
    if (!this.#mayStart(head.status)) return;
    const reason = head.reason ?? "";
    const lines = encodeFields(head.headers);
    const length = lines.contentLength === -1 ? (head.contentLength ?? -1) : lines.contentLength;
    this.#begin(head.status, reason, lines, length);
  }

  startRaw(status: number, reason: string, lines: string | Buffer, contentLength: number): void {
    const text = typeof lines === "string" ? lines : lines.toString("latin1", 0, lines.length);
    try {
      if (!this.#mayStart(status)) return;
      if (inspected === undefined || inspected.lines !== text) {
        inspected = { lines: text, result: inspectLines(text) };
      }
      const { result } = inspected;
      this.#begin(status, reason, result, contentLength < 0 ? result.contentLength : contentLength);
    } catch (error) {
      // Bytes of a worker: nobody up the stack could do more than this.
      if (!(error instanceof RangeError)) throw error;
      this.fail(500, error.message);
    }
  }

  write(chunk: Buffer | string): boolean {
    if (this.#phase === PHASE.waiting)
      throw new TypeError("Cannot write: the response was not begun");
    if (this.#phase === PHASE.done) return true;
    if (this.#phase === PHASE.held) this.#sendHead(-1);
    this.#put(chunk);
    const { writer } = this.#owner;
    writer.flush();
    return !writer.isFull;
  }

  end(chunk?: Buffer | string): void {
    if (this.#phase === PHASE.waiting)
      throw new TypeError("Cannot end: the response was not begun");
    if (this.#phase === PHASE.done) return;
    if (this.#phase === PHASE.held) this.#sendHead(chunk === undefined ? 0 : byteLength(chunk));
    if (chunk !== undefined) this.#put(chunk);
    if (this.#framing === "chunked") this.#owner.writer.text(LAST_CHUNK);
    if (this.#framing === "length" && this.#sentBytes < this.#length) {
      this.#fault(`it ended after ${this.#sentBytes} of ${this.#length} bytes`);
      this.#owner.cut(false);
      return;
    }
    this.#owner.written();
    this.#finish(this.#keep);
  }

  fail(status: number, cause: string): void {
    if (this.#phase === PHASE.done) return;
    const { shared } = this.#owner;
    const { method, target } = this.head;
    shared.onFault(`Cannot answer ${method} ${target.slice(0, 200)} but with ${status}: ${cause}`);
    if (status >= 500) shared.counters.requestsFailed += 1;
    else shared.counters.requestsRefused += 1;
    if (this.isUnsent) this.sendErrorPage(status, false);
    else this.#owner.cut(false);
  }

  /** Answers with tsgi's own page. `close` because what follows on the connection cannot be read. */
  sendErrorPage(status: number, close: boolean): void {
    this.#ownPage = true;
    const page = errorPage(status, headerValue(this.head.headers, "accept"));
    this.#phase = PHASE.waiting;
    this.#begin(status, "", { ...NO_LINES, text: page.lines, close }, page.body.length);
    this.end(page.body);
  }

  /** Sends a head that no body byte came to accompany. */
  flushHeld(): void {
    if (this.#phase !== PHASE.held) return;
    this.#sendHead(-1);
    this.#owner.writer.flush();
  }

  takeData(chunk: Buffer): void {
    this.#feed.data(chunk);
  }

  takeEnd(trailers: readonly string[]): void {
    this.#feed.end(trailers);
  }

  /** Tells the sink that the rest of the body will not come. */
  abortBody(reason: string): void {
    this.#guard(() => this.#feed.abort(reason));
  }

  /** It is over before the response is complete. `tell`: by the client's doing, so the handler has to hear of it. */
  abort(reason: string, tell: boolean): void {
    if (this.#phase === PHASE.done) return;
    this.#phase = PHASE.done;
    this.#record(true);
    this.abortBody(reason);
    if (tell) this.#guard(() => this.onAbort?.());
    this.#guard(() => this.onClose?.());
  }

  drained(): void {
    if (this.#phase === PHASE.sending) this.#guard(() => this.onDrain?.());
  }

  #mayStart(status: number): boolean {
    if (this.#phase === PHASE.done) return false;
    if (this.#phase !== PHASE.waiting) {
      throw new TypeError("Cannot start the response: it was begun before");
    }
    if (!Number.isInteger(status) || status < 200 || status > 999) {
      throw new RangeError(`Cannot start the response: status is ${status}`);
    }
    return true;
  }

  #begin(status: number, reason: string, lines: ResponseLines, length: number): void {
    this.#statusLine = statusLine(status, reason);
    this.#status = status;
    this.#lines = lines;
    this.#length = length;
    this.#phase = PHASE.held;
    this.#owner.headHeld();
  }

  /** Writes the head. `wholeBytes`: length of the body when it is all there, else -1. */
  #sendHead(wholeBytes: number): void {
    const { head } = this;
    const { shared, writer } = this.#owner;
    const lines = this.#lines;
    const { framing, length } = responseFraming(
      this.#status,
      head.method,
      head.minor,
      this.#length,
      wholeBytes,
    );
    this.#framing = framing;
    this.#length = length;
    this.#keep =
      head.keepAlive &&
      !shared.draining &&
      !lines.close &&
      framing !== "close" &&
      (head.body.kind === "none" || this.#canContinue());
    const tail = shared.tail(this.#keep, lines.hasDate, lines.hasServer);
    this.#phase = PHASE.sending;
    writer.text(this.#statusLine + lines.text + framingLine(framing, length) + tail);
  }

  /** A client that waits for 100 may or may not send its body after a final status: only closing is clear. */
  #canContinue(): boolean {
    if (this.#feed.isComplete) return true;
    if (this.head.expectsContinue && !this.#continueSent) return false;
    return this.#owner.canContinueAfter(this.head);
  }

  #put(chunk: Buffer | string): void {
    if (this.#framing === "none") return;
    const size = byteLength(chunk);
    if (size === 0) return;
    const { writer } = this.#owner;
    if (this.#framing === "length" && this.#sentBytes + size > this.#length) {
      this.#putPart(chunk);
      return;
    }
    this.#sentBytes += size;
    const isChunked = this.#framing === "chunked";
    if (isChunked) writer.text(chunkPrefix(size));
    const suffix = isChunked ? "\r\n" : "";
    if (typeof chunk !== "string") writer.bytes(chunk, suffix);
    else if (size === chunk.length) writer.text(chunk + suffix);
    else writer.bytes(Buffer.from(chunk), suffix);
  }

  /** More than the announced length would be read as the next response: the excess is dropped. */
  #putPart(chunk: Buffer | string): void {
    if (!this.#excessReported) {
      this.#excessReported = true;
      this.#fault(`it has more than the ${this.#length} bytes of its Content-Length`);
    }
    const room = this.#length - this.#sentBytes;
    if (room === 0) return;
    this.#sentBytes += room;
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    this.#owner.writer.bytes(bytes.subarray(0, room), "");
  }

  /** Sends something harmless to see whether anybody is there; false when that is not possible now. */
  probe(): boolean {
    if (this.#phase !== PHASE.waiting || this.head.minor === 0) return false;
    this.#owner.writer.text(CONTINUE);
    this.#owner.writer.flush();
    return true;
  }

  #sendContinue(): void {
    if (!this.head.expectsContinue || this.#continueSent || this.#phase !== PHASE.waiting) return;
    this.#continueSent = true;
    // A client whose body is already here did not wait (RFC 9110 §10.1.1 lets the server omit it).
    if (this.#owner.hasInput) return;
    this.#owner.writer.text(CONTINUE);
    this.#owner.writer.flush();
  }

  #finish(keep: boolean): void {
    this.#phase = PHASE.done;
    if (!this.#ownPage) this.#owner.shared.counters.requestsServed += 1;
    this.#record(false);
    if (this.head.body.kind !== "none") this.abortBody("the response is complete");
    const { onClose } = this;
    if (onClose !== undefined) this.#guard(onClose);
    this.#owner.responseDone(this, keep);
  }

  #record(aborted: boolean): void {
    const { shared, peer } = this.#owner;
    if (shared.writeEntry === undefined) return;
    const { method, target, minor, headers, host } = this.head;
    shared.writeEntry({
      method,
      target,
      minor,
      headers,
      host,
      address: peer.address,
      status: this.#status === 0 ? 499 : this.#status,
      bodyBytes: this.#sentBytes,
      requestBytes: this.#feed.receivedBytes,
      durationMs: performance.now() - this.#startedAtMs,
      aborted,
    });
  }

  #fault(problem: string): void {
    this.#owner.shared.onFault(`Cannot send the response of the application: ${problem}`);
  }

  /** Callbacks of a handler must not take the front down. */
  #guard(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#owner.shared.onFault(faultText(error));
    }
  }
}

/** What an operator reads about something a handler threw. */
export function faultText(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `Cannot finish a request: the handler threw ${text}`;
}

function byteLength(chunk: Buffer | string): number {
  return typeof chunk === "string" ? Buffer.byteLength(chunk) : chunk.length;
}
