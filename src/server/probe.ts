/** A request of the vassal itself, to see whether the application is well: no client, only the status counts. */
import { Socket } from "node:net";
import type { RequestHead, ResponseHead } from "../protocol/request.ts";
import type { BodySink, Exchange, Handler } from "./exchange.ts";

const ANSWER_WITHIN_MS = 5000;

/** Asks the handler for `path`; calls `answered` once, with a status as text or with why there is none. */
export function probe(path: string, handler: Handler, answered: (answer: string) => void): void {
  let open = true;
  const tell = (answer: string): void => {
    if (open) answered(answer);
    open = false;
    clearTimeout(timer);
  };
  const timer = setTimeout(() => {
    tell("nothing in time");
    exchange.abandon();
  }, ANSWER_WITHIN_MS);
  const exchange = new ProbeExchange(path, tell);
  try {
    handler(exchange);
  } catch (error) {
    exchange.fail(500, String(error));
  }
}

class ProbeExchange implements Exchange {
  readonly head: RequestHead;
  readonly peer = { address: "127.0.0.1", port: 0, localAddress: "127.0.0.1", localPort: 0 };
  readonly secure = false;
  readonly socket = new Socket();
  readonly #answered: (answer: string) => void;
  #status = 0;
  done = false;
  onDrain: (() => void) | undefined = undefined;
  onAbort: (() => void) | undefined = undefined;
  onClose: (() => void) | undefined = undefined;

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
    this.#over(String(this.#status));
  }

  fail(status: number, cause: string): void {
    this.#over(this.started ? "an incomplete response" : `${status} (${cause})`);
  }

  /** Nobody waits for the answer any more. */
  abandon(): void {
    if (this.done) return;
    this.done = true;
    this.onAbort?.();
    this.onClose?.();
  }

  #over(answer: string): void {
    if (this.done) return;
    this.done = true;
    this.#answered(answer);
    this.onClose?.();
  }
}
