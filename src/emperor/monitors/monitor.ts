/** The contract of an imperial monitor: a source of vassals. It reports facts; the machine decides. */
import type { VassalConfig } from "../../config/vassal-config.ts";
import type { RefusedFile } from "../../stats/emperor-snapshot.ts";

export type MonitorReport =
  | {
      readonly type: "vassalSeen";
      readonly name: string;
      readonly file: string;
      /** SHA-256 of the content, hex. */
      readonly hash: string;
      readonly config: VassalConfig;
      readonly trigger: "created" | "changed" | "touched";
      /** What is odd about the content, one sentence each with its place. */
      readonly warnings: readonly string[];
    }
  | {
      readonly type: "vassalInvalid";
      readonly name: string;
      readonly file: string;
      readonly hash: string;
      readonly reason: string;
      /** Every problem of the file, one to a line. */
      readonly lines: readonly string[];
    }
  | { readonly type: "vassalRemoved"; readonly name: string; readonly file: string }
  /** Something an operator should know that concerns no single vassal. Said once, not at each look. */
  | { readonly type: "trouble"; readonly message: string };

export interface ImperialMonitor {
  /** Where it looks, for people. */
  readonly places: readonly string[];
  /** Resolves when the first look has been reported. */
  start(): Promise<void>;
  /** Looks now; resolves when this vassal's file (or every file) as it is now has settled and has been reported. */
  look(name?: string): Promise<void>;
  /** Files that are no vassals, and why. */
  refused(): readonly RefusedFile[];
  close(): Promise<void>;
}

export type LoadedFile =
  | { readonly config: VassalConfig; readonly warnings: readonly string[] }
  | { readonly problem: string; readonly lines: readonly string[] };

/** What a monitor gets from the emperor. */
export interface MonitorDoors {
  readonly clock: { nowMs(): number; wallMs(): number };
  readonly timers: { after(delayMs: number, callback: () => void): () => void };
  /** Says "look again" after something changed in a folder; throws or calls `onTrouble` when it cannot watch. */
  watchDirectory(
    directory: string,
    onChange: () => void,
    onTrouble: (error: unknown) => void,
  ): { close(): Promise<void> | void };
  /** Whether somebody has the file open for writing; undefined = cannot tell. */
  isOpenForWriting(path: string): boolean | undefined;
  load(input: { readonly file: string; readonly bytes: Uint8Array }): LoadedFile;
  report(report: MonitorReport): void;
}

export interface MonitorSettings {
  readonly folders: readonly string[];
  /** The periodic full look that finds what no event announced. */
  readonly rescanMs: number;
}
