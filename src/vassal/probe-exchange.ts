/** A request made by the vassal itself: no client, no socket; only the status of the answer is kept. */
import { Socket } from "node:net";
import type { RequestHead, ResponseHead } from "../protocol/request.ts";
import type { BodySink, Exchange, Peer } from "../server/exchange.ts";

const NOBODY: Peer = { address: "127.0.0.1", port: 0, localAddress: "127.0.0.1", localPort: 0 };

export class ProbeExchange implements Exchange {
  readonly head: RequestHead;
  readonly peer = NOBODY;
  readonly secure = false;
  readonly socket: Socket = new Socket();
  readonly #answered: (answer: string) => void;
  #status = 0;
  #over = false;
  onDrain: (() => void) | undefined;
  onAbort: (() => void) | undefined;
  onClose: (() => void) | undefined;

  /** `answered` gets the status as text, or why there was none, once. */
  constructor(path: string, answered: (answer: string) => void) {
    this.#answered = answered;
    this.head = {
      method: "GET",
      target: path,
      minor: 1,
      headers: ["Host", "localhost", "User-Agent", "tsgi-health", "Accept", "*/*"],
      body: { kind: "none" },
      keepAlive: true,
      expectsContinue: false,
      host: "localhost",
    };
  }

  get done(): boolean {
    return this.#over;
  }

  get started(): boolean {
    return this.#status !== 0;
  }

  readBody(sink: BodySink): void {
    sink.end([]);
  }

  resumeBody(): void {
    // A probe has no body.
  }

  informational(): void {
    // Nobody reads it.
  }

  start(head: ResponseHead): void {
    this.#status = head.status;
  }

  startRaw(status: number): void {
    this.#status = status;
  }

  write(): boolean {
    return true;
  }

  end(): void {
    this.#finish(String(this.#status));
  }

  fail(status: number, cause: string): void {
    this.#finish(this.#status === 0 ? `${status} (${cause})` : "an incomplete response");
  }

  /** The asker has given up: the application is told as if a client had gone. */
  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.onAbort?.();
    this.onClose?.();
  }

  #finish(answer: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#answered(answer);
    this.onClose?.();
  }
}
