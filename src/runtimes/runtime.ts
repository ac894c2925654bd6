/** The contract of an application container inside a vassal process. */
import type { VassalEvent, TrafficCounters, WorkerSnapshot } from "../ipc/link.ts";
import type { VassalSpec } from "../ipc/vassal-spec.ts";
import type { Handler } from "../server/exchange.ts";

/** What a runtime may ask of the vassal process around it. */
export interface RuntimeHost {
  readonly spec: VassalSpec;
  /** A tagged line for the vassal's log: `worker` 0 is the vassal process itself. */
  logLine(worker: number, stream: "out" | "err" | "tsgi" | "req", line: string): void;
  /** An event for the emperor's journal (and the log). */
  event(event: VassalEvent): void;
  /** The last output lines of the application, oldest first. */
  lastLines(): readonly string[];
}

/** Thrown (or rejected) by `start` when the application cannot serve; the message says why. */
export class StartFailure extends Error {
  override readonly name = "StartFailure";
}

/** Life of any runtime. `start` resolves when the application is loaded; nothing is accepted before `serve`. */
interface RuntimeLife {
  start(): Promise<void>;
  /** New work must not start a worker any more; what runs goes on. */
  beginDrain(): void;
  /** Ends every process of this runtime, gently first; resolves when all are gone. */
  stop(): Promise<void>;
  workers(): readonly WorkerSnapshot[];
  /** Requests the application itself answered (loyalty). */
  readonly answered: number;
}

/** Served through the vassal's own HTTP front. */
export interface FrontedRuntime extends RuntimeLife {
  readonly kind: "fronted";
  readonly handle: Handler;
}

/** Workers accept on the inherited sockets themselves. */
export interface AcceptingRuntime extends RuntimeLife {
  readonly kind: "accepting";
  /** Resolves when every worker accepts. */
  serve(): Promise<void>;
  /** Resolves when the last connection is gone or `timeoutMs` has passed; calls `released` once nothing is accepted. */
  drain(timeoutMs: number, released: () => void): Promise<void>;
  counters(): TrafficCounters;
}

export type Runtime = FrontedRuntime | AcceptingRuntime;

export type CreateRuntime = (host: RuntimeHost) => Runtime;
