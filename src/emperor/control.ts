/** What can be asked of a running emperor; the control socket turns HTTP calls into these. */
import type { DeployReceipt, EmperorSnapshot, JournalEvent } from "../stats/emperor-snapshot.ts";

export type CommandVerb = "reload" | "restart" | "stop" | "start" | "pardon";

/** Who asks: from the peer credentials of the control connection. */
export interface Commander {
  readonly pid: number;
  readonly uid: number;
}

export interface CommandResult {
  readonly name: string;
  readonly ok: boolean;
  readonly message: string;
}

/** `wait` for one vassal: the file as it is on disk is what serves, and nothing older takes a connection; or it failed. */
export interface WaitResult {
  readonly name: string;
  readonly ok: boolean;
  /** A sentence: "generation 3 is live", or why it is not. */
  readonly message: string;
  readonly lastLines: readonly string[];
  /** What is odd about the file, although it can be used. */
  readonly warnings: readonly string[];
  readonly receipt: DeployReceipt | null;
}

export interface EmperorControl {
  /** Has every vassal report what it counts; resolves when all have, or after a moment. Never rejects. */
  refresh(): Promise<void>;
  /** What is known now; workers and counters are as old as the last report. */
  snapshot(): EmperorSnapshot;
  /** Names matching NAME, a glob, or tag:NAME; throws TsgiError TSGI_UNKNOWN_VASSAL when nothing matches. */
  select(patterns: readonly string[]): readonly string[];
  /** Whether `uid` may command this vassal: root, the emperor's user, or the user it runs as. */
  mayCommand(uid: number, name: string): boolean;
  command(verb: CommandVerb, name: string, by: Commander): CommandResult;
  /** Rescans first, so that it judges the file as it is now. Aborting the signal ends the wait. */
  wait(name: string, signal: AbortSignal): Promise<WaitResult>;
  rescan(): Promise<void>;
  /** The newest `count` journal events, oldest first. */
  recentEvents(count: number): readonly JournalEvent[];
  onEvent(listener: (event: JournalEvent) => void): () => void;
  /** Stops every vassal gracefully, then resolves. */
  shutdown(reason: string): Promise<void>;
  /** uWSGI's emperor statistics with ours beside them. */
  statsDocument(): Readonly<Record<string, unknown>>;
}
