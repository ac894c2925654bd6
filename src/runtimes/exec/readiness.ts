/** When is a program ready: asks until it answers, at growing intervals, because nothing notifies. */
import { connect } from "node:net";
import { messageOf } from "../../core/errors.ts";
import { encodeRequestHead } from "../../protocol/http1/request-encoder.ts";
import { ResponseDecoder } from "../../protocol/http1/response-decoder.ts";

/**
 * - `connect`: accepts a connection (a program that binds $PORT itself);
 * - `any-answer`: answers `HEAD /` with whatever status (its socket listened before it ran, so connecting proves nothing);
 * - `health`: answers `path` with 2xx or 3xx.
 */
export type ReadyTest =
  | { readonly kind: "connect" }
  | { readonly kind: "any-answer" }
  | { readonly kind: "health"; readonly path: string };

const FIRST_INTERVAL_MS = 5;
const LONGEST_INTERVAL_MS = 500;
/** A connection in the queue of a program that boots waits there; it is given up now and then, in case it was lost. */
const PATIENCE_MS = 10_000;

export class Readiness {
  readonly #address: { readonly host: string; readonly port: number };
  readonly #test: ReadyTest;
  readonly #verify: () => string | undefined;
  readonly #ready: () => void;
  #cancel: () => void = () => undefined;
  #stopped = false;
  #intervalMs = FIRST_INTERVAL_MS;
  /** Why the last try failed, for people. */
  problem = "nothing was tried yet";

  constructor(
    address: { readonly host: string; readonly port: number },
    test: ReadyTest,
    hooks: {
      /** Asked when the test has passed: a problem that it could not see. */
      readonly verify: () => string | undefined;
      readonly ready: () => void;
    },
  ) {
    this.#address = address;
    this.#test = test;
    this.#verify = hooks.verify;
    this.#ready = hooks.ready;
  }

  /** The first try comes after `delayMs`. */
  start(delayMs = 0): void {
    if (delayMs === 0) return this.#try();
    const timer = setTimeout(() => this.#try(), delayMs);
    this.#cancel = () => clearTimeout(timer);
    return undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #try(): void {
    if (this.#stopped) return;
    this.#cancel = tryOnce(this.#address, this.#test, (outcome) => {
      if (this.#stopped) return;
      const problem = outcome ?? this.#verify();
      if (problem === undefined) {
        this.#stopped = true;
        this.#ready();
        return;
      }
      this.problem = problem;
      this.start(this.#intervalMs);
      this.#intervalMs = Math.min(this.#intervalMs * 2, LONGEST_INTERVAL_MS);
    });
  }
}

/** One connection. `done` gets undefined when the test passed, else why not. Returns the way to give up. */
function tryOnce(
  address: { readonly host: string; readonly port: number },
  test: ReadyTest,
  done: (problem: string | undefined) => void,
): () => void {
  const socket = connect({ ...address, noDelay: true });
  let over = false;
  const finish = (problem: string | undefined): void => {
    if (over) return;
    over = true;
    socket.destroy();
    done(problem);
  };
  socket.setTimeout(PATIENCE_MS, () => finish("it does not answer"));
  socket.on("error", (error) => finish(messageOf(error)));
  socket.on("close", () => finish("it closed the connection without an answer"));
  if (test.kind === "connect") {
    // A free port of the ephemeral range can be connected to itself (RFC 9293 §3.5, simultaneous open).
    socket.on("connect", () => {
      finish(socket.localPort === address.port ? "nothing listens on its port" : undefined);
    });
  } else {
    const decoder = new ResponseDecoder();
    const [method, target] = test.kind === "health" ? ["GET", test.path] : ["HEAD", "/"];
    decoder.expect(method);
    const headers = ["Host", `${address.host}:${address.port}`, "User-Agent", "tsgi-probe"];
    headers.push("Accept", "*/*", "Connection", "close");
    socket.write(encodeRequestHead({ method, target, body: { kind: "none" } }, headers), "latin1");
    socket.on("data", (chunk: Buffer) => {
      try {
        decoder.push(chunk);
        for (let event = decoder.next(); event !== undefined; event = decoder.next()) {
          if (event.type === "head") finish(judge(test, event.head.status));
        }
      } catch (error) {
        finish(messageOf(error));
      }
    });
  }
  return () => {
    over = true;
    socket.destroy();
  };
}

function judge(test: ReadyTest, status: number): string | undefined {
  if (test.kind !== "health" || (status >= 200 && status < 400)) return undefined;
  return `${test.path} answered ${status}`;
}
