/** The Emperor: wires monitors, table, machine and executors together, and answers what can be asked of it. */
import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import type { Clock, Timers } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { TsgiError } from "../core/errors.ts";
import { VERSION } from "../core/version.ts";
import type { LaunchPrograms } from "../launch/plan.ts";
import type { EmperorSnapshot, JournalEvent } from "../stats/emperor-snapshot.ts";
import { answerCommand } from "./command-answers.ts";
import type {
  Commander,
  CommandResult,
  CommandVerb,
  EmperorControl,
  WaitResult,
} from "./control.ts";
import { FreshReports } from "./fresh-reports.ts";
import { Journal } from "./journal.ts";
import { endLeftovers } from "./leftovers.ts";
import { LinkServer } from "./link-server.ts";
import type { LinkServerOptions } from "./link-server.ts";
import type { ImperialMonitor, MonitorDoors, MonitorReport } from "./monitors/monitor.ts";
import { MONITORS } from "./monitors/registry.ts";
import type { Processes, Sockets, Usage } from "./ports.ts";
import { Receipts } from "./receipts.ts";
import { RunningRecords } from "./running-records.ts";
import { selectNames } from "./selection.ts";
import { SocketRegistry } from "./socket-registry.ts";
import { SpawnQueue } from "./spawn-queue.ts";
import { StateWriter } from "./state-writer.ts";
import { statsDocument } from "./stats-document.ts";
import { StopMarks } from "./stop-marks.ts";
import { UsageSampler } from "./usage-sampler.ts";
import { createExecutors } from "./vassal-commands.ts";
import { loadVassalFile } from "./vassal-file.ts";
import { VassalHandle } from "./vassal-handle.ts";
import { newLife } from "./vassal-life.ts";
import { identifyVassal } from "./vassal-links.ts";
import { addressesInUse } from "./vassal-machine.ts";
import { snapshotVassal } from "./vassal-snapshot.ts";
import { VassalTable } from "./vassal-table.ts";
import { timesOf } from "./vassal-times.ts";
import { Waiting } from "./waiting.ts";

/** A scan answers after this long, even while somebody is still writing a file. */
const RESCAN_MAX_MS = 1500;

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

export function createEmperor(deps: EmperorDeps): Emperor {
  return new Emperor(deps);
}

export class Emperor implements EmperorControl {
  readonly #deps: EmperorDeps;
  readonly #startedAtMs: number;
  readonly #startedMs: number;
  readonly #journal: Journal;
  readonly #receipts: Receipts;
  readonly #stopMarks: StopMarks;
  readonly #records: RunningRecords;
  readonly #registry: SocketRegistry;
  readonly #queue: SpawnQueue;
  readonly #table: VassalTable;
  readonly #monitor: ImperialMonitor;
  readonly #links: LinkServer;
  readonly #usage: UsageSampler;
  readonly #waiting: Waiting;
  readonly #reports: FreshReports;
  readonly #begun = Promise.withResolvers<void>();
  #emptied: (() => void) | undefined;
  #down: Promise<void> | undefined;

  constructor(deps: EmperorDeps) {
    this.#deps = deps;
    const { clock, timers, settings, self } = deps;
    const { stateDir, runtimeDir } = settings;
    this.#startedAtMs = clock.wallMs();
    this.#startedMs = clock.nowMs();
    this.#journal = new Journal(stateDir, deps);
    const { writer } = this.#journal;
    this.#receipts = new Receipts(stateDir, writer);
    this.#stopMarks = new StopMarks(stateDir, writer);
    const troubled = (message: string): void =>
      void this.#journal.add({ kind: "trouble", message });
    this.#records = new RunningRecords(runtimeDir, new StateWriter(troubled));
    this.#registry = new SocketRegistry(deps.sockets);
    this.#waiting = new Waiting(() => clock.nowMs());
    const grant = (name: string, generation: number): void =>
      this.#table.dispatch(name, { type: "slotGranted", generation });
    this.#queue = new SpawnQueue(settings.spawnConcurrency ?? 2 * self.cores, {
      clock,
      timers,
      grant,
    });
    this.#table = new VassalTable({
      clock,
      timers,
      random: () => deps.random(),
      afterStep: (vassal) => this.#afterStep(vassal),
    });
    const linkPath = join(runtimeDir, "link.sock");
    const dispatch = this.#table.dispatch.bind(this.#table);
    this.#table.use(
      createExecutors({
        ...deps,
        ...settings,
        linkPath,
        dispatch,
        registry: this.#registry,
        queue: this.#queue,
        journal: this.#journal,
        receipts: this.#receipts,
        stopMarks: this.#stopMarks,
        records: this.#records,
        ensureLink: () => this.#links.ensure(),
        forget: (name) => this.#forget(name),
      }),
    );
    this.#monitor = MONITORS.directory(
      { folders: settings.vassalDirs, rescanMs: settings.rescanMs },
      { ...deps, load: loadVassalFile, report: (report) => this.#take(report) },
    );
    const linkDoors = { table: this.#table, journal: this.#journal, clock };
    this.#links = new LinkServer({
      path: linkPath,
      mode: self.uid === 0 ? 0o666 : 0o600,
      peerOf: deps.peerOf,
      identify: (hello, peerPid) => identifyVassal(linkDoors, hello, peerPid),
      timers,
    });
    const pids = (): readonly number[] =>
      this.#table
        .all()
        .flatMap(({ generations }) =>
          [...generations.values()].flatMap(({ child }) => child?.pid ?? []),
        );
    this.#usage = new UsageSampler({ clock, timers, usage: deps.usage, pids });
    this.#reports = new FreshReports(timers, () =>
      this.#table
        .all()
        .flatMap(({ generations }) => [...generations.values()].map((each) => each.askReport())),
    );
  }

  /** Resolves when the first look at the vassal folders has been acted on. */
  async start(): Promise<void> {
    const { runtimeDir, stateDir } = this.#deps.settings;
    mkdirSync(runtimeDir, { recursive: true, mode: 0o755 });
    await this.#links.start();
    this.#journal.add({
      kind: "started",
      pid: this.#deps.self.pid,
      message: `*** Starting tsgi Emperor ${VERSION} (pid ${this.#deps.self.pid}), state in ${stateDir} ***`,
    });
    await endLeftovers(this.#records, { timers: this.#deps.timers, journal: this.#journal });
    if (this.#down === undefined) await this.#monitor.start();
    this.#begun.resolve();
  }

  shutdown(reason: string): Promise<void> {
    if (this.#down === undefined) {
      this.#journal.add({ kind: "shutdown", message: `The Emperor shuts down: ${reason}` });
      this.#down = this.#ragnarok();
    } else {
      this.#journal.add({ kind: "shutdown", message: `The Emperor is in a hurry: ${reason}` });
      for (const { name } of this.#table.all()) this.#table.dispatch(name, { type: "hurryAsked" });
    }
    return this.#down;
  }

  async #ragnarok(): Promise<void> {
    await this.#begun.promise;
    await this.#monitor.close();
    const empty = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    for (const { name } of this.#table.all()) this.#table.dispatch(name, { type: "shutdownAsked" });
    if (this.#table.all().length > 0) await empty;
    this.#usage.close();
    this.#queue.close();
    this.#table.close();
    this.#registry.closeAll();
    await this.#links.close();
    this.#journal.add({ kind: "buried", message: "The Emperor is buried." });
    this.#journal.flush();
  }

  #take(report: MonitorReport): void {
    if (report.type === "trouble") {
      this.#journal.add({ kind: "trouble", message: report.message });
      return;
    }
    const { name, file } = report;
    if (report.type === "vassalRemoved") {
      this.#table.dispatch(name, { type: "fileRemoved" });
      return;
    }
    const vassal = this.#table.get(name) ?? this.#welcome(name, file);
    vassal.file = file;
    vassal.lastChangeMs = this.#deps.clock.wallMs();
    if (report.type === "vassalSeen") {
      const { hash, config, trigger } = report;
      this.#warn(vassal, report);
      this.#table.dispatch(name, { type: "fileSeen", hash, config, trigger });
    } else {
      const { hash, reason, lines } = report;
      this.#table.dispatch(name, { type: "fileInvalid", hash, reason, lines });
    }
  }

  /** Once for each content: a touch repeats nothing. */
  #warn(vassal: VassalHandle, seen: Extract<MonitorReport, { type: "vassalSeen" }>): void {
    vassal.warnings = seen.warnings;
    if (vassal.warnedHash === seen.hash) return;
    vassal.warnedHash = seen.hash;
    for (const message of seen.warnings) {
      this.#journal.add({ kind: "config-warning", vassal: vassal.name, message });
    }
  }

  /** Numbers of generations go on where an emperor before this one stopped. */
  #welcome(name: string, file: string): VassalHandle {
    const lastReceipt = this.#receipts.last(name);
    const life = newLife(name, {
      nextGeneration: (lastReceipt?.generation ?? 0) + 1,
      stopMark: this.#stopMarks.has(name),
    });
    const vassal = new VassalHandle(life, { file, seenMs: this.#deps.clock.wallMs(), lastReceipt });
    this.#table.add(vassal);
    return vassal;
  }

  #afterStep(vassal: VassalHandle): void {
    this.#registry.keepOnly(vassal.name, addressesInUse(vassal.life));
    this.#waiting.recheck(vassal.name);
  }

  #forget(name: string): void {
    this.#table.remove(name);
    if (this.#table.all().length === 0) this.#emptied?.();
  }

  refresh(): Promise<void> {
    return this.#reports.refresh();
  }

  snapshot(): EmperorSnapshot {
    const { self, settings, clock } = this.#deps;
    const figures = this.#usage.figures();
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
        vassalDirs: this.#monitor.places,
        runtimeDir: settings.runtimeDir,
        stateDir: settings.stateDir,
        refused: this.#monitor.refused(),
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
    const { self } = this.#deps;
    return statsDocument(this.snapshot(), {
      cwd: self.cwd,
      timesOf: (name) => timesOf(this.#table.get(name), self),
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
      const refused = this.#monitor
        .refused()
        .find(({ file }) => patterns.includes(basename(file).replace(/\.[a-z]+$/, "")));
      if (refused === undefined) throw error;
      throw new TsgiError("TSGI_UNKNOWN_VASSAL", `${refused.reason} ("${refused.file}")`, {
        cause: error,
      });
    }
  }

  mayCommand(uid: number, name: string): boolean {
    if (uid === 0 || uid === this.#deps.self.uid) return true;
    const vassal = this.#table.get(name);
    return [...(vassal?.generations.values() ?? [])].some((generation) => generation.uid === uid);
  }

  command(verb: CommandVerb, name: string, by: Commander): CommandResult {
    const vassal = this.#table.get(name);
    if (vassal === undefined || this.#down !== undefined) {
      const state = this.#down === undefined ? "there is no such vassal" : "the emperor shuts down";
      return { name, ok: false, message: `Cannot ${verb} vassal "${name}": ${state}` };
    }
    const { event, message } = answerCommand(verb, vassal.life);
    if (event === undefined) return { name, ok: false, message };
    this.#journal.add({
      kind: "command",
      vassal: name,
      pid: by.pid,
      message: `${verb} of vassal ${name} was commanded by uid ${by.uid}, pid ${by.pid}`,
    });
    this.#table.dispatch(name, event);
    return { name, ok: true, message: `vassal ${name} ${message}` };
  }

  async wait(name: string, signal: AbortSignal): Promise<WaitResult> {
    await this.#begun.promise;
    await this.#monitor.look(name);
    const vassal = this.#table.get(name);
    if (vassal === undefined) {
      return {
        name,
        ok: false,
        message: `vassal ${name} has been removed`,
        lastLines: [],
        warnings: [],
        receipt: this.#receipts.last(name),
      };
    }
    return this.#waiting.until(vassal, signal);
  }

  async rescan(): Promise<void> {
    await this.#begun.promise;
    const patience = Promise.withResolvers<void>();
    const cancel = this.#deps.timers.after(RESCAN_MAX_MS, patience.resolve);
    await Promise.race([this.#monitor.look(), patience.promise]);
    cancel();
  }

  recentEvents(count: number): readonly JournalEvent[] {
    return this.#journal.recent(count);
  }

  onEvent(listener: (event: JournalEvent) => void): () => void {
    return this.#journal.onEvent(listener);
  }

  #sorted(): readonly VassalHandle[] {
    return [...this.#table.all()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
