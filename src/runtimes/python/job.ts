/** One request on its way through a worker: the exchange on one side, frames on the other. */
import { messageOf } from "../../core/errors.ts";
import {
  FRAME,
  encodeFrame,
  encodeNumberFrame,
  frameHeader,
} from "../../protocol/worker-channel/frame.ts";
import type { ResponseStart } from "../../protocol/worker-channel/frame-decoder.ts";
import type { BodySink, Exchange } from "../../server/exchange.ts";
import { DeadlineItem } from "../deadline-queue.ts";

/** Where frames for a worker go; whole batches leave in one write. */
export interface FrameSink {
  sendText(frames: string): void;
  sendBytes(header: string, bytes: Buffer): void;
}

/** Body bytes that may lie in a worker that has not begun the request: kept here, in case another one gets it. */
const UNBEGUN_WINDOW = 65_536;
const WINDOW = 262_144;
/** Response bytes are acknowledged in steps of this size. */
const CREDIT_STEP = 131_072;
const PIECE = 262_144;

export class Job extends DeadlineItem implements BodySink {
  readonly exchange: Exchange;
  readonly block: string;
  /** In the worker that has it now; every time it is sent it gets a new one. */
  id = 0;
  sink: FrameSink | undefined;
  /** Still in the worker although nobody waits for its answer: past its deadline, or the client is gone. */
  isOrphan = false;
  #kept: Buffer[] = [];
  #isBegun = false;
  #isReading = false;
  #bodyEnd: "open" | "ended" | "aborted" = "open";
  #inFlightBytes = 0;
  #isPaused = false;
  #unacknowledged = 0;

  constructor(exchange: Exchange, block: string) {
    super();
    this.exchange = exchange;
    this.block = block;
  }

  /** The worker that has it from now on, and its id there. */
  place(sink: FrameSink, id: number): void {
    this.id = id;
    this.sink = sink;
  }

  /** Sends head and whatever of the body is here; what follows goes the same way by itself. */
  send(sink: FrameSink): void {
    const { id } = this;
    const { head } = this.exchange;
    if (head.body.kind === "none") {
      sink.sendText(encodeFrame(FRAME.request, id, this.block));
      return;
    }
    const asks = head.expectsContinue && !this.#isReading;
    sink.sendText(encodeFrame(asks ? FRAME.requestAsk : FRAME.requestBody, id, this.block));
    for (const chunk of this.#kept) this.#sendChunk(chunk);
    if (this.#bodyEnd === "ended") sink.sendText(encodeFrame(FRAME.end, id));
    if (this.#bodyEnd === "aborted") sink.sendText(encodeFrame(FRAME.abort, id));
    if (!asks) this.readBody();
  }

  /** Lets the body flow, once. */
  readBody(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.exchange.readBody(this);
  }

  data(chunk: Buffer): boolean {
    if (this.exchange.done) return true;
    if (!this.#isBegun) this.#kept.push(chunk);
    this.#inFlightBytes += chunk.length;
    this.#sendChunk(chunk);
    this.#isPaused = this.#inFlightBytes >= (this.#isBegun ? WINDOW : UNBEGUN_WINDOW);
    return !this.#isPaused;
  }

  end(): void {
    this.#bodyEnd = "ended";
    this.sink?.sendText(encodeFrame(FRAME.end, this.id));
  }

  abort(): void {
    this.#bodyEnd = "aborted";
    this.sink?.sendText(encodeFrame(FRAME.abort, this.id));
  }

  /** The worker has used up `bytes` of the body, so it has begun the request. */
  credit(bytes: number): void {
    this.begun();
    this.#inFlightBytes -= bytes;
    if (!this.#isPaused || this.#inFlightBytes >= WINDOW) return;
    this.#isPaused = false;
    this.exchange.resumeBody();
  }

  /** No other worker may get it any more. */
  begun(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    this.#kept = [];
  }

  /** It was taken back from its worker: nothing goes there any more. */
  takenBack(): void {
    this.sink = undefined;
  }

  /** The whole response. */
  answer(head: ResponseStart, contentLength: number, body: Buffer): void {
    const { exchange } = this;
    if (!this.#start(head, contentLength)) return;
    if (body.length > 0) exchange.end(body);
    else exchange.end();
  }

  /** The response begins, and its body follows. */
  startStream(head: ResponseStart): void {
    this.begun();
    const { exchange } = this;
    if (!this.#start(head, head.contentLength)) return;
    exchange.onDrain = () => this.#acknowledge();
  }

  /** Body bytes of the response; the worker may send more once the client has taken them. */
  writeBody(chunk: Buffer): void {
    const { exchange } = this;
    this.#unacknowledged += chunk.length;
    if (exchange.done || exchange.write(chunk)) {
      if (this.#unacknowledged >= CREDIT_STEP) this.#acknowledge();
    }
  }

  /** False when there is nothing to answer any more. What the front refuses is the application's fault, not the channel's. */
  #start(head: ResponseStart, contentLength: number): boolean {
    const { exchange } = this;
    if (exchange.done || exchange.started) return false;
    try {
      exchange.startRaw(head.status, head.reason, head.lines, contentLength);
      return true;
    } catch (error) {
      exchange.fail(500, messageOf(error));
      return false;
    }
  }

  #acknowledge(): void {
    const bytes = this.#unacknowledged;
    this.#unacknowledged = 0;
    if (bytes > 0) this.sink?.sendText(encodeNumberFrame(FRAME.credit, this.id, bytes));
  }

  #sendChunk(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; at += PIECE) {
      const piece = chunk.length <= PIECE ? chunk : chunk.subarray(at, at + PIECE);
      this.sink?.sendBytes(frameHeader(FRAME.data, this.id, piece.length), piece);
    }
  }
}
