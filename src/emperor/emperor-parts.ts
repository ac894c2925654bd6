/** Puts the parts of an emperor together: monitor -> table -> machine -> executors, and what they keep. */
import { join } from "node:path";
import type { EmperorDeps } from "./emperor-deps.ts";
import { FleetView } from "./fleet-view.ts";
import { FreshReports } from "./fresh-reports.ts";
import { Journal } from "./journal.ts";
import { LinkServer } from "./link-server.ts";
import { MonitorIntake } from "./monitor-intake.ts";
import type { ImperialMonitor } from "./monitors/monitor.ts";
import { MONITORS } from "./monitors/registry.ts";
import { Receipts } from "./receipts.ts";
import { RunningRecords } from "./running-records.ts";
import { SocketRegistry } from "./socket-registry.ts";
import { SpawnQueue } from "./spawn-queue.ts";
import { StateWriter } from "./state-writer.ts";
import { StopMarks } from "./stop-marks.ts";
import { UsageSampler } from "./usage-sampler.ts";
import { createExecutors } from "./vassal-commands.ts";
import { loadVassalFile } from "./vassal-file.ts";
import { identifyVassal } from "./vassal-links.ts";
import { addressesInUse } from "./generation-machine.ts";
import type { GenerationHandle } from "./vassal-handle.ts";
import { VassalTable } from "./vassal-table.ts";
import { Waiting } from "./waiting.ts";

export interface EmperorParts {
  readonly journal: Journal;
  readonly receipts: Receipts;
  readonly records: RunningRecords;
  readonly registry: SocketRegistry;
  readonly queue: SpawnQueue;
  readonly table: VassalTable;
  readonly monitor: ImperialMonitor;
  readonly links: LinkServer;
  readonly usage: UsageSampler;
  readonly waiting: Waiting;
  readonly reports: FreshReports;
  readonly view: FleetView;
}

/** `emptied` is called when the last vassal is gone. */
export function createParts(deps: EmperorDeps, emptied: () => void): EmperorParts {
  const { clock, timers, settings, self } = deps;
  const { stateDir, runtimeDir } = settings;
  const journal = new Journal(stateDir, deps);
  const receipts = new Receipts(stateDir, journal.writer);
  const stopMarks = new StopMarks(stateDir, journal.writer);
  const troubled = (message: string): void => void journal.add({ kind: "trouble", message });
  const records = new RunningRecords(runtimeDir, new StateWriter(troubled));
  const registry = new SocketRegistry(deps.sockets);
  const waiting = new Waiting(() => clock.nowMs());
  const table = new VassalTable({
    clock,
    timers,
    random: () => deps.random(),
    afterStep: ({ name, life }) => {
      registry.keepOnly(name, addressesInUse(life));
      waiting.recheck(name);
    },
  });
  const queue = new SpawnQueue(settings.spawnConcurrency ?? 2 * self.cores, {
    clock,
    timers,
    grant: (name, generation) => table.dispatch(name, { type: "slotGranted", generation }),
  });
  const links = createLinks(deps, table, journal);
  table.use(
    createExecutors({
      ...deps,
      ...settings,
      linkPath: linkPathOf(runtimeDir),
      dispatch: (name, event) => table.dispatch(name, event),
      registry,
      queue,
      journal,
      receipts,
      stopMarks,
      records,
      ensureLink: () => links.ensure(),
      forget: (name) => {
        table.remove(name);
        if (table.all().length === 0) emptied();
      },
    }),
  );
  const intake = new MonitorIntake({ clock, table, journal, receipts, stopMarks });
  const monitor = MONITORS.directory(
    { folders: settings.vassalDirs, rescanMs: settings.rescanMs },
    { ...deps, load: loadVassalFile, report: (report) => intake.take(report) },
  );
  const usage = new UsageSampler({ clock, timers, usage: deps.usage, pids: () => pidsOf(table) });
  const reports = new FreshReports(timers, () =>
    generationsIn(table).map((each) => each.askReport()),
  );
  const view = new FleetView({ ...deps, table, monitor, usage });
  return {
    journal,
    receipts,
    records,
    registry,
    queue,
    table,
    monitor,
    links,
    usage,
    waiting,
    reports,
    view,
  };
}

function createLinks(deps: EmperorDeps, table: VassalTable, journal: Journal): LinkServer {
  const { clock, timers, settings, self, peerOf } = deps;
  return new LinkServer({
    path: linkPathOf(settings.runtimeDir),
    mode: self.uid === 0 ? 0o666 : 0o600,
    peerOf,
    identify: (hello, peerPid) => identifyVassal({ table, journal, clock }, hello, peerPid),
    timers,
  });
}

function linkPathOf(runtimeDir: string): string {
  return join(runtimeDir, "link.sock");
}

function generationsIn(table: VassalTable): readonly GenerationHandle[] {
  return table.all().flatMap(({ generations }) => [...generations.values()]);
}

function pidsOf(table: VassalTable): readonly number[] {
  return generationsIn(table).flatMap(({ child }) => child?.pid ?? []);
}
