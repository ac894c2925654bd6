/** The channel between a vassal and its emperor: JSON lines over a unix socket that the vassal dials. */

/** Longest line; a longer one ends the connection. */
export const LINK_LINE_MAX = 65_536;

export type WorkerState = "starting" | "idle" | "busy" | "retiring" | "gone";

/** One worker as status shows it. */
export interface WorkerSnapshot {
  readonly id: number;
  readonly pid: number;
  readonly state: WorkerState;
  readonly requests: number;
  readonly rssBytes: number;
  readonly startedAtMs: number;
  readonly respawns: number;
}

/** Counters of one generation; they only grow. */
export interface TrafficCounters {
  readonly connectionsAccepted: number;
  readonly connectionsOpen: number;
  readonly requestsServed: number;
  /** Answered by tsgi itself with 5xx: no worker, worker died, deadline. */
  readonly requestsFailed: number;
  /** Refused as malformed or over a limit (4xx by the front). */
  readonly requestsRefused: number;
  /** Connections cut while a response was under way. */
  readonly connectionsReset: number;
}

export const NO_TRAFFIC: TrafficCounters = {
  connectionsAccepted: 0,
  connectionsOpen: 0,
  requestsServed: 0,
  requestsFailed: 0,
  requestsRefused: 0,
  connectionsReset: 0,
};

/** What happened inside a vassal, for the journal. `kind` is a short word such as "worker-died" or "deadline". */
export interface VassalEvent {
  readonly kind: string;
  readonly message: string;
  readonly worker?: number;
  readonly pid?: number;
}

export type FromVassal =
  | {
      readonly type: "hello";
      readonly linkVersion: number;
      readonly name: string;
      readonly generation: number;
      readonly pid: number;
      readonly token: string;
    }
  /** Application loaded, health passed: may be given traffic. */
  | { readonly type: "ready" }
  /** Accepts connections (answer to "serve"). */
  | { readonly type: "accepting" }
  /** First request answered by the application. */
  | { readonly type: "loyal" }
  /** Could not get ready; `lines` are the last output lines of the application. */
  | { readonly type: "failed"; readonly reason: string; readonly lines: readonly string[] }
  /** Takes no new connections any more (answer to "drain"). */
  | { readonly type: "released" }
  | { readonly type: "drained"; readonly counters: TrafficCounters }
  | { readonly type: "event"; readonly event: VassalEvent }
  | {
      readonly type: "heartbeat";
      readonly counters: TrafficCounters;
      readonly workers: readonly WorkerSnapshot[];
      readonly healthy: boolean;
    };

export type ToVassal =
  | { readonly type: "serve" }
  /** Stop accepting, finish what is open within `timeoutMs`, exit. */
  | { readonly type: "drain"; readonly timeoutMs: number }
  /** Exit at once. */
  | { readonly type: "stop" }
  /** Send a heartbeat now. */
  | { readonly type: "report" };

/** A message as one line of the channel. */
export function encodeLine(message: FromVassal | ToVassal): string {
  return `${JSON.stringify(message)}\n`;
}

/** Cuts a byte stream into JSON values; resumable at any byte, bounded by LINK_LINE_MAX. */
export class LineDecoder {
  #rest = "";

  /** Values of all complete lines; throws RangeError on a line that is too long, SyntaxError on one that is not JSON. */
  push(chunk: string): readonly unknown[] {
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop() ?? "";
    const longest = Math.max(this.#rest.length, ...lines.map((line) => line.length));
    if (longest > LINK_LINE_MAX) {
      throw new RangeError(
        `Cannot read a line of ${longest} characters: the limit is ${LINK_LINE_MAX}`,
      );
    }
    return lines.filter((line) => line !== "").map((line): unknown => JSON.parse(line));
  }
}
