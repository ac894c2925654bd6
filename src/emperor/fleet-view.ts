/** What people can see of the fleet: status, statistics, names, and whose vassal is whose. */
import { basename, join } from "node:path";
import { TsgiError } from "../core/errors.ts";
import { VERSION } from "../core/version.ts";
import type { EmperorSnapshot } from "../stats/emperor-snapshot.ts";
import type { EmperorDeps } from "./emperor-deps.ts";
import type { ImperialMonitor } from "./monitors/monitor.ts";
import { selectNames } from "./selection.ts";
import { statsDocument } from "./stats-document.ts";
import type { UsageSampler } from "./usage-sampler.ts";
import type { VassalHandle } from "./vassal-handle.ts";
import { snapshotVassal } from "./vassal-snapshot.ts";
import type { VassalTable } from "./vassal-table.ts";
import { timesOf } from "./vassal-times.ts";

export interface FleetViewDoors extends Pick<EmperorDeps, "settings" | "clock" | "self"> {
  readonly table: VassalTable;
  readonly monitor: ImperialMonitor;
  readonly usage: UsageSampler;
}

export class FleetView {
  readonly #doors: FleetViewDoors;
  readonly #startedAtMs: number;
  readonly #startedMs: number;

  constructor(doors: FleetViewDoors) {
    this.#doors = doors;
    this.#startedAtMs = doors.clock.wallMs();
    this.#startedMs = doors.clock.nowMs();
  }

  snapshot(): EmperorSnapshot {
    const { self, settings, clock } = this.#doors;
    const figures = this.#doors.usage.figures();
    const nowMs = clock.nowMs();
    return {
      emperor: {
        pid: self.pid,
        version: VERSION,
        uptimeMs: Math.round(nowMs - this.#startedMs),
        startedAtMs: this.#startedAtMs,
        rssBytes: self.rssBytes(),
        uid: self.uid,
        gid: self.gid,
        vassalDirs: this.#doors.monitor.places,
        runtimeDir: settings.runtimeDir,
        stateDir: settings.stateDir,
        refused: this.#doors.monitor.refused(),
        warnings: [],
      },
      vassals: this.#sorted().map((vassal) =>
        snapshotVassal(vassal, {
          nowMs,
          defaultLogFile: join(settings.stateDir, "logs", `${vassal.name}.log`),
          usageOf: (pid) => figures.get(pid),
        }),
      ),
    };
  }

  statsDocument(): Readonly<Record<string, unknown>> {
    const { self } = this.#doors;
    return statsDocument(this.snapshot(), {
      cwd: self.cwd,
      timesOf: (name) => timesOf(this.#doors.table.get(name), self),
    });
  }

  select(patterns: readonly string[]): readonly string[] {
    const fleet = this.#sorted().map(({ name, life }) => ({
      name,
      tags: life.desired?.config.tags ?? [],
    }));
    try {
      return selectNames(patterns, fleet);
    } catch (error) {
      const refused = this.#doors.monitor
        .refused()
        .find(({ file }) => patterns.includes(basename(file).replace(/\.[a-z]+$/, "")));
      if (refused === undefined) throw error;
      throw new TsgiError("TSGI_UNKNOWN_VASSAL", `${refused.reason} ("${refused.file}")`, {
        cause: error,
      });
    }
  }

  mayCommand(uid: number, name: string): boolean {
    if (uid === 0 || uid === this.#doors.self.uid) return true;
    const vassal = this.#doors.table.get(name);
    return [...(vassal?.generations.values() ?? [])].some((generation) => generation.uid === uid);
  }

  #sorted(): readonly VassalHandle[] {
    return [...this.#doors.table.all()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
