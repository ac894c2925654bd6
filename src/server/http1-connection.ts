/** One client connection speaking HTTP/1: socket bytes to decoder to exchange, one exchange at a time, answers in order. */
import type { Socket } from "node:net";
import { ProtocolError } from "../protocol/codec.ts";
import type { ProtocolErrorCode } from "../protocol/codec.ts";
import { RequestDecoder } from "../protocol/http1/request-decoder.ts";
import type { RequestEvent } from "../protocol/http1/request-decoder.ts";
import type { RequestHead } from "../protocol/request.ts";
import type { Peer } from "./exchange.ts";
import type { FrontShared, Tended } from "./front-shared.ts";
import { Http1Exchange, faultText } from "./http1-exchange.ts";
import type { ExchangeOwner } from "./http1-exchange.ts";
import { peerOf } from "./peer.ts";
import { ResponseWriter } from "./response-writer.ts";

/** Reading stops while so many bytes wait behind an unfinished exchange. */
const BUFFERED_MAX = 65_536;
/** An unread request body up to here is read and dropped to save the connection. */
const DISCARD_MAX = 262_144;
/** Bytes dropped after a closing response before patience ends. */
const LINGER_MAX = 1_048_576;
/** Requests of one connection in one turn of the event loop, so that pipelining clients starve nobody (CVE-2019-16770). */
const REQUESTS_A_TURN = 32;

/** The first makes the kernel of a client that is gone answer with a reset, the second meets that reset. */
const PROBES = 2;

/** What the deadline of a connection is about. */
type Watch = "idle" | "head" | "body" | "discard" | "linger" | "none";

export class Http1Connection implements Tended, ExchangeOwner {
  readonly shared: FrontShared;
  readonly socket: Socket;
  readonly writer: ResponseWriter;
  readonly #decoder: RequestDecoder;
  #exchange: Http1Exchange | undefined;
  #bodyDone = true;
  #peer: Peer | undefined;
  #watch: Watch = "head";
  #deadline: number;
  #isPumping = false;
  #isQueued = false;
  #isPaused = false;
  #inputEnded = false;
  #probesLeft = PROBES;
  #nextProbe = 0;
  /** What was read could not be understood: nothing after it may be. */
  #inputFailed = false;
  /** The last response was sent, or the connection was refused: nothing more is parsed. */
  #isClosing = false;
  #isClosed = false;
  #dropped = 0;
  #stalledBytes = 0;
  #stalledTicks = 0;

  constructor(socket: Socket, shared: FrontShared) {
    this.socket = socket;
    this.shared = shared;
    this.writer = new ResponseWriter(socket);
    this.#decoder = new RequestDecoder(shared.limits);
    this.#deadline = shared.tick + shared.headTicks;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("end", () => this.#takeEnd());
    socket.on("drain", () => this.#drained());
    // Resets are facts of life; "close" follows and does the work.
    socket.on("error", () => undefined);
    socket.on("close", () => this.#closed());
    // For the log: once the client is gone, the kernel does not know its address any more.
    if (shared.writeEntry !== undefined) this.#peer = peerOf(socket);
    shared.add(this);
  }

  get peer(): Peer {
    this.#peer ??= peerOf(this.socket);
    return this.#peer;
  }

  get hasInput(): boolean {
    return this.#decoder.buffered > 0;
  }

  canContinueAfter(head: RequestHead): boolean {
    if (this.#inputFailed) return false;
    if (this.#bodyDone) return true;
    const remaining = this.#decoder.bodyRemaining;
    return head.body.kind === "length" && remaining !== undefined && remaining <= DISCARD_MAX;
  }

  headHeld(): void {
    // Inside the pump the handler mostly goes on to end the response: looked at when it returns.
    if (!this.#isPumping) this.shared.flushSoon(this);
  }

  flushHeld(): void {
    this.#exchange?.flushHeld();
  }

  bodyWanted(): void {
    if (this.#bodyDone) return;
    this.#watchFor("body", this.shared.bodyTicks);
    this.#pump();
  }

  written(): void {
    if (!this.#isPumping) this.writer.flush();
  }

  responseDone(exchange: Http1Exchange, keep: boolean): void {
    if (this.#exchange !== exchange) return;
    this.#exchange = undefined;
    if (!keep) {
      this.#shut();
      return;
    }
    if (this.#bodyDone) this.#watchFor("idle", this.shared.idleTicks);
    else this.#watchFor("discard", this.shared.bodyTicks);
    this.#pumpUnlessIdle();
  }

  cut(tell: boolean): void {
    this.shared.counters.connectionsReset += 1;
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#isClosing = true;
    this.socket.destroy();
    exchange?.abort("the response was cut", tell);
  }

  /** Ends the connection at once, with no regard for what is under way. */
  destroy(): void {
    this.#isClosing = true;
    this.socket.destroy();
  }

  /** Ends the connection if no request is under way on it. */
  closeIfIdle(): void {
    if (this.#exchange === undefined && this.#bodyDone && !this.#decoder.insideHead) this.#shut();
  }

  pumpAgain(): void {
    this.#isQueued = false;
    this.#pump();
  }

  sweep(tick: number): void {
    if (this.#isStalled()) {
      // With an exchange under way, #closed counts it.
      if (this.#exchange === undefined) this.shared.counters.connectionsReset += 1;
      this.destroy();
      return;
    }
    if (this.#inputEnded && tick >= this.#nextProbe) this.#probe(tick);
    if (this.#watch === "none" || tick < this.#deadline) return;
    switch (this.#watch) {
      case "idle":
        this.#shut();
        return;
      case "head":
        if (this.#decoder.insideHead) this.#refuse("head-timeout");
        else this.#shut();
        return;
      case "body":
        this.#refuse("body-timeout");
        return;
      case "discard":
        this.#shut();
        return;
      case "linger":
        if (!this.writer.isPending) this.destroy();
        return;
    }
  }

  /** True when the client took nothing for the whole send timeout although something waits for it. */
  #isStalled(): boolean {
    const bytes = this.socket.writableLength === 0 ? 0 : this.writer.pendingBytes;
    if (bytes === 0 || bytes !== this.#stalledBytes) {
      this.#stalledBytes = bytes;
      this.#stalledTicks = 0;
      return false;
    }
    this.#stalledTicks += 1;
    return this.#stalledTicks > this.shared.sendTicks;
  }

  /**
   * A FIN alone does not tell a client that is gone from one that only has nothing more to say (RFC 9112 §9.6). Every client
   * has to ignore a spare 100 (RFC 9110 §15.2), so long work is called off for the first and finished for the second.
   */
  #probe(tick: number): void {
    if (this.#probesLeft === 0 || this.#exchange?.probe() !== true) return;
    this.#probesLeft -= 1;
    this.#nextProbe = tick + this.shared.probeTicks;
  }

  #watchFor(watch: Watch, ticks: number): void {
    this.#watch = watch;
    this.#deadline = this.shared.tick + ticks;
  }

  #take(chunk: Buffer): void {
    if (this.#isClosing) {
      this.#dropped += chunk.length;
      if (this.#dropped > LINGER_MAX) this.destroy();
      return;
    }
    this.#decoder.push(chunk);
    this.#pump();
  }

  #takeEnd(): void {
    this.#inputEnded = true;
    this.#nextProbe = this.shared.tick + this.shared.probeTicks;
    if (!this.#isClosing) this.#pump();
  }

  #drained(): void {
    if (!this.writer.drained()) return;
    if (this.#isClosing) {
      this.#endOutput();
      return;
    }
    this.#exchange?.drained();
    this.#pumpUnlessIdle();
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isClosing = true;
    this.shared.remove(this);
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (exchange === undefined) return;
    if (!exchange.isUnsent) this.shared.counters.connectionsReset += 1;
    exchange.abort("the client is gone", true);
  }

  #pumpUnlessIdle(): void {
    if (this.#decoder.buffered > 0 || this.#inputEnded || this.#isPaused) this.#pump();
  }

  /** Reads what may be read now. The only place where input is judged. */
  #pump(): void {
    if (this.#isPumping || this.#isClosing) return;
    this.#isPumping = true;
    try {
      this.#readEvents();
    } catch (error) {
      this.#isPumping = false;
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse(error.code);
      return;
    }
    this.#isPumping = false;
    this.writer.flush();
    this.#adjustReading();
  }

  #readEvents(): void {
    let requests = 0;
    while (!this.#isClosing) {
      const exchange = this.#exchange;
      if (exchange === undefined) {
        if (this.writer.isFull) return;
        if (this.#bodyDone) {
          requests += 1;
          if (requests > REQUESTS_A_TURN && this.#decoder.buffered > 0) {
            if (!this.#isQueued) this.shared.pumpSoon(this);
            this.#isQueued = true;
            return;
          }
        }
      } else if (this.#bodyDone || !exchange.takesBody) {
        return;
      }
      const event = this.#decoder.next();
      if (event === undefined) {
        this.#wantMore();
        return;
      }
      this.#handle(event, exchange);
    }
  }

  #handle(event: RequestEvent, exchange: Http1Exchange | undefined): void {
    switch (event.type) {
      case "head":
        this.#begin(event.head);
        return;
      case "data":
        if (exchange === undefined) return;
        this.#watchFor("body", this.shared.bodyTicks);
        this.#guard(exchange, () => exchange.takeData(event.chunk));
        if (!exchange.takesBody && this.#exchange === exchange) this.#watch = "none";
        return;
      case "end":
        this.#bodyDone = true;
        if (exchange === undefined) {
          this.#watchFor("idle", this.shared.idleTicks);
          return;
        }
        this.#watch = "none";
        this.#guard(exchange, () => exchange.takeEnd(event.trailers));
        return;
    }
  }

  #begin(head: RequestHead): void {
    const exchange = new Http1Exchange(this, head);
    this.#exchange = exchange;
    this.#bodyDone = head.body.kind === "none";
    this.#watch = "none";
    try {
      this.shared.handler(exchange);
    } catch (error) {
      exchange.fail(500, faultText(error));
    }
    if (this.#exchange === exchange && exchange.started) this.shared.flushSoon(this);
  }

  #guard(exchange: Http1Exchange, callback: () => void): void {
    try {
      callback();
    } catch (error) {
      exchange.fail(500, faultText(error));
    }
  }

  /** All bytes are read: wait for more of them, or see that there are none. */
  #wantMore(): void {
    if (this.#inputEnded) {
      if (this.#exchange !== undefined) this.#refuse("truncated");
      else this.#shut();
      return;
    }
    if (this.#exchange !== undefined || !this.#bodyDone) return;
    if (this.#decoder.insideHead) {
      if (this.#watch !== "head") this.#watchFor("head", this.shared.headTicks);
    }
  }

  #adjustReading(): void {
    if (this.#isClosing) return;
    const shouldPause = this.#decoder.buffered >= BUFFERED_MAX;
    if (shouldPause === this.#isPaused) return;
    this.#isPaused = shouldPause;
    if (shouldPause) this.socket.pause();
    else this.socket.resume();
  }

  /** Answers what cannot be read, and reads no further on this connection. */
  #refuse(code: ProtocolErrorCode): void {
    if (this.#isClosing) return;
    this.#inputFailed = true;
    const { shared } = this;
    shared.counters.requestsRefused += 1;
    const status = new ProtocolError(code, 0).status;
    const exchange = this.#exchange;
    if (exchange === undefined) {
      const line = this.#decoder.requestLine;
      const refused = new Http1Exchange(this, {
        method: line?.method ?? "-",
        target: line?.target ?? "-",
        minor: line?.minor ?? 1,
        headers: [],
        body: { kind: "none" },
        keepAlive: false,
        expectsContinue: false,
        host: "",
      });
      this.#exchange = refused;
      refused.sendErrorPage(status, true);
      return;
    }
    exchange.abortBody(`the body cannot be read: ${code}`);
    if (exchange.done) return;
    if (!exchange.isUnsent) {
      this.cut(true);
      return;
    }
    const { onAbort } = exchange;
    exchange.onAbort = undefined;
    exchange.sendErrorPage(status, true);
    if (onAbort !== undefined) this.#guard(exchange, onAbort);
  }

  /** Sends what is left, then FIN, and drops what the client still sends: a reset could destroy the answer on its way. */
  #shut(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.writer.flush();
    this.#watchFor("linger", this.shared.lingerTicks);
    this.#endOutput();
    if (this.#isPaused) this.socket.resume();
  }

  #endOutput(): void {
    if (this.writer.isFull) return;
    this.#watchFor("linger", this.shared.lingerTicks);
    this.socket.end();
  }
}
