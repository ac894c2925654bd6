/** What the emperor is told and what it needs from outside. */
import type { Clock, Timers } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { LaunchPrograms } from "../launch/plan.ts";
import type { LinkServerOptions } from "./link-server.ts";
import type { MonitorDoors } from "./monitors/monitor.ts";
import type { Processes, Sockets, Usage } from "./ports.ts";

export interface EmperorSettings {
  /** Absolute folders. */
  readonly vassalDirs: readonly string[];
  readonly runtimeDir: string;
  readonly stateDir: string;
  readonly rescanMs: number;
  /** Boots at the same time; twice the cores when absent. */
  readonly spawnConcurrency?: number;
  readonly envPass: readonly string[];
}

/** Everything the emperor needs from outside. */
export interface EmperorDeps {
  readonly settings: EmperorSettings;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly sockets: Sockets;
  readonly processes: Processes;
  readonly usage: Usage;
  readonly watchDirectory: MonitorDoors["watchDirectory"];
  readonly isOpenForWriting: MonitorDoors["isOpenForWriting"];
  readonly peerOf: LinkServerOptions["peerOf"];
  /** Absolute paths of the files of this program. */
  readonly programs: LaunchPrograms;
  /** The emperor's environment; vassals get an allow-list of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** This process. */
  readonly self: {
    readonly pid: number;
    readonly uid: number;
    readonly gid: number;
    readonly cwd: string;
    readonly cores: number;
    rssBytes(): number;
  };
  /** In [0, 1). */
  random(): number;
}
