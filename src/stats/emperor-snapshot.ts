/** The JSON of `status --json`: stable names, units in the names. Others hand in the facts. */
import type { TrafficCounters, WorkerSnapshot } from "../ipc/link.ts";

export interface EmperorSnapshot {
  readonly emperor: {
    readonly pid: number;
    readonly version: string;
    readonly uptimeMs: number;
    readonly startedAtMs: number;
    readonly rssBytes: number;
    readonly uid: number;
    readonly gid: number;
    readonly vassalDirs: readonly string[];
    readonly runtimeDir: string;
    readonly stateDir: string;
    /** Files that are no vassals, and why. */
    readonly refused: readonly RefusedFile[];
    readonly warnings: readonly string[];
  };
  readonly vassals: readonly VassalSnapshot[];
}

export interface RefusedFile {
  readonly file: string;
  readonly reason: string;
}

/** What people call the state; the machine's phases map onto these. */
export type VassalState =
  | "starting"
  | "serving"
  | "deploying"
  | "backing-off"
  | "stopping"
  | "stopped"
  | "invalid";

export interface VassalSnapshot {
  readonly name: string;
  readonly file: string;
  readonly kind: "python" | "node" | "static" | "exec" | "unknown";
  readonly state: VassalState;
  /** The serving generation, else the one that is starting; 0 when there was none. */
  readonly generation: number;
  /** Of that generation; 0 when none runs. */
  readonly pid: number;
  readonly up: boolean;
  readonly ready: boolean;
  readonly healthy: boolean;
  readonly serving: boolean;
  readonly loyal: boolean;
  /** The directory it runs from, symlinks resolved, and as written. */
  readonly release: string;
  readonly directory: string;
  /** Set when the link in `directory` points elsewhere by now. */
  readonly releaseWarning?: string;
  readonly listen: readonly string[];
  readonly tags: readonly string[];
  readonly workers: readonly WorkerSnapshot[];
  readonly counters: TrafficCounters;
  readonly cpu: number;
  readonly rssBytes: number;
  /** Deaths that were not asked for, since the emperor started. */
  readonly restarts: number;
  /** Why it is in this state, one sentence; "" when there is nothing to say. */
  readonly reason: string;
  readonly backoff?: { readonly attempt: number; readonly nextInMs: number };
  /** Last output lines of the last generation that failed. */
  readonly lastLines: readonly string[];
  /** What is odd about the vassal file, although it can be used; each with its place. */
  readonly warnings: readonly string[];
  readonly logFile: string;
  /** Generations that still drain. */
  readonly draining: readonly { readonly generation: number; readonly pid: number }[];
  readonly lastDeploy: DeployReceipt | null;
}

/** One deploy, as it is kept in the state dir. Times are wall-clock milliseconds; 0 = did not happen. */
export interface DeployReceipt {
  readonly vassal: string;
  readonly generation: number;
  readonly previousGeneration: number;
  readonly trigger: "created" | "changed" | "touched" | "reload" | "restart" | "start" | "crash";
  /** SHA-256 of the vassal file this generation was made from, and the release it runs. */
  readonly configHash: string;
  readonly release: string;
  /** live: it accepts and the generation before it does not any more (or was silent for 2 s: oldReleasedAtMs is 0 then). */
  readonly outcome: "live" | "failed" | "superseded" | "pending";
  readonly reason: string;
  readonly lastLines: readonly string[];
  readonly steps: {
    readonly seenAtMs: number;
    readonly spawnedAtMs: number;
    readonly readyAtMs: number;
    readonly servingAtMs: number;
    readonly oldReleasedAtMs: number;
    readonly oldGoneAtMs: number;
  };
  /** What the old generation did from its birth to its end; zero when there was none or it still drains. */
  readonly oldCounters: TrafficCounters;
  /** Across the swap: must be 0 for a deploy without drops. */
  readonly connectionsReset: number;
  readonly requestsFailed: number;
}

/** One line of the event journal. */
export interface JournalEvent {
  readonly seq: number;
  readonly atMs: number;
  readonly vassal?: string;
  readonly generation?: number;
  /** A short word: "deploy", "ready", "live", "failed", "died", "worker-died", "refused", "backoff", "command" … */
  readonly kind: string;
  readonly message: string;
  readonly pid?: number;
}
