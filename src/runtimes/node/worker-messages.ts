/** What a node worker and its vassal process say to each other: JSON lines over a socket pair. */
import type { TrafficCounters } from "../../ipc/link.ts";

/** Progress of a worker; sent at most every REPORT_MS while something changes. */
export interface WorkerReport {
  readonly requests: number;
  readonly inFlight: number;
  readonly counters: TrafficCounters;
}

export const REPORT_MS = 100;

export type FromWorker =
  /** The application is loaded; `shape` says how it was recognised. */
  | { readonly type: "ready"; readonly shape: string }
  | { readonly type: "accepting" }
  /** Takes no new connections any more. */
  | { readonly type: "released" }
  | { readonly type: "drained"; readonly report: WorkerReport }
  | { readonly type: "report"; readonly report: WorkerReport }
  /** Answer to "probe": a status, or why there is none. */
  | { readonly type: "probed"; readonly answer: string }
  /** The application could not be loaded, or ended the process. */
  | { readonly type: "failed"; readonly reason: string; readonly stack: string }
  /** A request ran past the deadline; the event loop runs on. */
  | { readonly type: "overdue"; readonly text: string }
  /** The event loop is blocked and a request is past its deadline. Written by the watchdog thread. */
  | { readonly type: "stuck"; readonly text: string }
  /** The watchdog has written what can still be said to clients: the process may be killed. */
  | { readonly type: "spent" }
  /** A line for the log that is no output of the application. */
  | { readonly type: "note"; readonly text: string };

export type ToWorker =
  | { readonly type: "serve" }
  | { readonly type: "probe"; readonly path: string }
  /** Stop accepting and finish what is open; `exit` ends the process then, else it waits for SIGTERM. */
  | { readonly type: "drain"; readonly timeoutMs: number; readonly exit: boolean };
