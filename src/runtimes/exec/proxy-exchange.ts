/** One exchange on its way through the front to a program and back: streams both bodies, never holds more than a few blocks. */
import { bodyEnd, chunkFrame, encodeRequestHead } from "../../protocol/http1/request-encoder.ts";
import type { ReceivedHead, ResponseEvent } from "../../protocol/http1/response-decoder.ts";
import type { BodySink, Exchange } from "../../server/exchange.ts";
import { DeadlineItem, type DeadlineQueue } from "../deadline-queue.ts";
import { forwardRequestHeaders, forwardResponseHeaders, mayRetry } from "./forward-policy.ts";
import type { ProgramWorker } from "./program-worker.ts";
import type { ConnectionUser, UpstreamConnection } from "./upstream-connection.ts";

/** What an exchange needs from the runtime around it. */
export interface ProxyHost {
  readonly deadlines: DeadlineQueue<ProxyExchange>;
  /** Gives it to the worker with the least to do, or lets it wait for one. */
  dispatch(exchange: ProxyExchange): void;
  /** The worker refused a connection, or broke one off without an answer. */
  suspect(worker: ProgramWorker): void;
  /** The head of a response has come. */
  answered(worker: ProgramWorker): void;
}

export class ProxyExchange extends DeadlineItem implements ConnectionUser, BodySink {
  readonly exchange: Exchange;
  readonly #host: ProxyHost;
  /** Where it is being worked on. */
  worker: ProgramWorker | undefined;
  #connection: UpstreamConnection | undefined;
  #tries = 0;
  #sent = false;
  #reused = false;
  #uploaded: boolean;
  #readingBody = false;
  #over = false;

  constructor(exchange: Exchange, host: ProxyHost) {
    super();
    this.exchange = exchange;
    this.#host = host;
    this.#uploaded = exchange.head.body.kind === "none";
    exchange.onAbort = () => this.#finish("close");
    exchange.onClose = () => this.#finish("close");
    exchange.onDrain = () => this.#clientTook();
  }

  /** Sends the request to `worker`. */
  begin(worker: ProgramWorker): void {
    const { upstream } = worker;
    if (this.#over) return;
    if (upstream === undefined) {
      this.fail(502, "the worker has no connections yet");
      return;
    }
    this.#tries += 1;
    this.worker = worker;
    worker.beginRequest();
    const connection = upstream.acquire(this.#tries > 1);
    this.#connection = connection;
    this.#reused = connection.served > 0;
    this.#sent = false;
    if (this.#uploaded) this.#host.deadlines.add(this);
    connection.attach(this, this.exchange.head.method);
    if (this.#connection === connection) connection.write(this.#encodeHead(worker));
  }

  /** True once nothing more can be done for it. */
  get over(): boolean {
    return this.#over;
  }

  /** Answers with an error page, or cuts what has begun. */
  fail(status: number, cause: string): void {
    if (this.#over) return;
    this.#finish("close");
    this.exchange.fail(status, cause);
  }

  connected(): void {
    this.#sent = true;
    if (this.#uploaded || this.#readingBody) return;
    this.#readingBody = true;
    // After the head has been written: `attach` tells this before it.
    queueMicrotask(() => {
      if (!this.#over) this.exchange.readBody(this);
    });
  }

  answered(event: ResponseEvent): void {
    switch (event.type) {
      case "informational":
        // 100 was answered by the front itself.
        if (event.status === 100 || this.exchange.started) return;
        this.exchange.informational(event.status, forwardResponseHeaders(event.headers));
        return;
      case "head":
        this.#start(event.head);
        return;
      case "data":
        if (!this.exchange.write(event.chunk)) {
          // The time of a slow client is not the program's.
          this.#connection?.pause();
          this.#host.deadlines.remove(this);
        }
        return;
      case "end":
        this.#finish("release");
        this.exchange.end();
        return;
    }
  }

  writable(): void {
    if (this.#uploaded) return;
    this.#host.deadlines.remove(this);
    this.exchange.resumeBody();
  }

  lost(reason: string): void {
    const connection = this.#connection;
    if (this.#over || connection === undefined) return;
    const { method } = this.exchange.head;
    const hasBody = this.exchange.head.body.kind !== "none";
    const again = mayRetry({
      method,
      hasBody,
      reused: this.#reused,
      sent: this.#sent,
      answered: connection.begun,
      tries: this.#tries,
    });
    const { worker } = this;
    // Closing an idle connection is everyday life; breaking off a request may be the first sign of a process that ends.
    const isIdleClose = again && this.#sent;
    if (!connection.begun && !isIdleClose && worker !== undefined) this.#host.suspect(worker);
    if (!again) {
      this.fail(502, `Cannot get a response from worker ${worker?.id ?? 0}: ${reason}`);
      return;
    }
    this.#connection = undefined;
    this.#host.deadlines.remove(this);
    this.#leaveWorker();
    this.#host.dispatch(this);
  }

  data(chunk: Buffer): boolean {
    const connection = this.#connection;
    // Early answers and lost connections: the rest of the body has nowhere to go.
    if (this.#over || connection === undefined) return true;
    const [before, after] = chunkFrame(this.exchange.head.body, chunk.length);
    if (before !== "") connection.write(before);
    let more = connection.write(chunk);
    if (after !== "") more = connection.write(after);
    // From here on it is the program that is waited for.
    if (!more) this.#host.deadlines.add(this);
    return more;
  }

  end(): void {
    this.#uploaded = true;
    if (this.#over) return;
    const last = bodyEnd(this.exchange.head.body);
    if (last !== "") this.#connection?.write(last);
    this.#host.deadlines.add(this);
  }

  /** The program must not take half a body for a whole one. */
  abort(): void {
    this.#finish("close");
  }

  #encodeHead(worker: ProgramWorker): string {
    const { head, peer, secure } = this.exchange;
    const fallbackHost = `${worker.address.host}:${worker.address.port}`;
    const headers = forwardRequestHeaders(head, { address: peer.address, secure, fallbackHost });
    return encodeRequestHead(head, headers);
  }

  #start(head: ReceivedHead): void {
    if (this.worker !== undefined) this.#host.answered(this.worker);
    const { status, reason, contentLength } = head;
    this.exchange.start({
      status,
      reason,
      headers: forwardResponseHeaders(head.headers),
      ...(contentLength === undefined ? undefined : { contentLength }),
    });
  }

  #clientTook(): void {
    if (this.#over) return;
    this.#connection?.resume();
    if (this.#uploaded) this.#host.deadlines.add(this);
  }

  /** Ends the relation to the program, once. A connection with an unfinished request is never used again. */
  #finish(how: "release" | "close"): void {
    if (this.#over) return;
    this.#over = true;
    this.#host.deadlines.remove(this);
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined && how === "release" && this.#uploaded) {
      connection.detach();
      this.worker?.upstream?.release(connection);
    } else connection?.destroy();
    this.#leaveWorker();
  }

  #leaveWorker(): void {
    const { worker } = this;
    this.worker = undefined;
    worker?.endRequest();
  }
}
