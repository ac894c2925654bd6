/** An emperor core inside the test process, on the real machine, whose vassal program is a tiny fixture: needs no build. */
import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOG } from "../../src/core/log.ts";
import { createEmperor } from "../../src/emperor/emperor.ts";
import type { Emperor } from "../../src/emperor/emperor.ts";
import type { EmperorDeps } from "../../src/emperor/emperor-deps.ts";
import type { WaitResult } from "../../src/emperor/control.ts";
import { isOpenForWriting } from "../../src/platform/native.ts";
import { peerOf } from "../../src/platform/peer.ts";
import { isRunning, processFacts } from "../../src/platform/proc.ts";
import { systemProcesses } from "../../src/platform/processes.ts";
import { systemSockets } from "../../src/platform/sockets.ts";
import { systemClock, systemTimers } from "../../src/platform/timers.ts";
import { systemUsage } from "../../src/platform/usage.ts";
import { watchDirectory } from "../../src/platform/watcher.ts";
import type { JournalEvent, VassalSnapshot } from "../../src/stats/emperor-snapshot.ts";
import { eventually } from "./eventually.ts";
import { FIXTURES } from "./paths.ts";

const WAIT_MS = 40_000;

export interface CoreOptions {
  readonly folder?: string;
  readonly deps?: Partial<EmperorDeps>;
  readonly rescanMs?: number;
  readonly stateDir?: string;
}

export class EmperorCore implements AsyncDisposable {
  readonly folder: string;
  readonly vassals: string;
  readonly runtimeDir: string;
  readonly stateDir: string;
  readonly emperor: Emperor;
  readonly #started = new Map<number, number>();
  #keepFolder = false;

  private constructor(options: CoreOptions) {
    this.folder = options.folder ?? mkdtempSync(join(tmpdir(), "tsgi-core-"));
    this.vassals = join(this.folder, "vassals");
    this.runtimeDir = join(this.folder, "run");
    this.stateDir = options.stateDir ?? join(this.folder, "state");
    mkdirSync(this.vassals, { recursive: true });
    this.emperor = createEmperor({
      settings: {
        vassalDirs: [this.vassals],
        runtimeDir: this.runtimeDir,
        stateDir: this.stateDir,
        rescanMs: options.rescanMs ?? 5000,
        envPass: [],
      },
      clock: systemClock,
      timers: systemTimers,
      log: SILENT_LOG,
      sockets: systemSockets,
      processes: {
        spawn: async (request) => {
          const child = await systemProcesses.spawn(request);
          this.#started.set(child.pid, child.startTime);
          return child;
        },
      },
      usage: systemUsage,
      watchDirectory,
      isOpenForWriting,
      peerOf,
      programs: {
        node: process.execPath,
        vassal: `${FIXTURES}programs/vassal.cjs`,
        nodeWorker: "/none",
        pythonBridge: "/none",
      },
      env: process.env,
      self: {
        pid: process.pid,
        uid: process.getuid?.() ?? 0,
        gid: process.getgid?.() ?? 0,
        cwd: process.cwd(),
        cores: 2,
        rssBytes: () => process.memoryUsage.rss(),
      },
      random: () => 0.5,
      ...options.deps,
    });
  }

  static async start(options: CoreOptions = {}): Promise<EmperorCore> {
    const core = new EmperorCore(options);
    await core.emperor.start();
    return core;
  }

  path(file: string): string {
    return join(this.vassals, file);
  }

  /** Written beside and renamed into place. */
  drop(file: string, text: string): void {
    const draft = join(this.folder, `${file}.draft`);
    writeFileSync(draft, text);
    renameSync(draft, this.path(file));
  }

  touch(file: string): void {
    utimesSync(this.path(file), new Date(), new Date());
  }

  wait(name: string): Promise<WaitResult> {
    return this.emperor.wait(name, AbortSignal.timeout(WAIT_MS));
  }

  vassal(name: string): VassalSnapshot | undefined {
    return this.emperor.snapshot().vassals.find((vassal) => vassal.name === name);
  }

  until(
    name: string,
    what: string,
    is: (vassal: VassalSnapshot) => boolean,
  ): Promise<VassalSnapshot> {
    return eventually(`${name} is ${what}: ${JSON.stringify(this.vassal(name))}`, () => {
      const vassal = this.vassal(name);
      return vassal !== undefined && is(vassal) ? vassal : undefined;
    });
  }

  gone(name: string): Promise<boolean> {
    return eventually(`${name} is gone`, () => this.vassal(name) === undefined);
  }

  events(kind?: string): readonly JournalEvent[] {
    const events = this.emperor.recentEvents(2000);
    return kind === undefined ? events : events.filter((event) => event.kind === kind);
  }

  event(kind: string, pattern: RegExp): Promise<JournalEvent> {
    return eventually(`the event ${kind} ${String(pattern)}`, () =>
      this.events(kind).find(({ message }) => pattern.test(message)),
    );
  }

  command(verb: "reload" | "restart" | "stop" | "start" | "pardon", name: string): void {
    const result = this.emperor.command(verb, name, { pid: process.pid, uid: 0 });
    assert.ok(result.ok, result.message);
  }

  log(name: string): string {
    return readFileSync(join(this.stateDir, "logs", `${name}.log`), "utf8");
  }

  /** For a next emperor on the same folders. */
  keepFolder(): void {
    this.#keepFolder = true;
  }

  /** Processes that were started, oldest first. */
  get pids(): readonly number[] {
    return [...this.#started.keys()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.emperor.shutdown("the test is over");
    const left = [...this.#started].filter(([pid, startTime]) => isRunning(pid, startTime));
    for (const [pid] of left) process.kill(-pid, "SIGKILL");
    if (!this.#keepFolder) rmSync(this.folder, { recursive: true, force: true });
    assert.deepEqual(
      left.map(([pid]) => processFacts(pid)),
      [],
      "processes left behind",
    );
  }
}

let addresses = 0;

/** A unix address that nobody else has; all have the same length. */
export function someAddress(): string {
  addresses += 1;
  return `http+unix://${tmpdir()}/tsgi-${String(process.pid).padStart(8, "0")}-${String(addresses).padStart(5, "0")}.sock`;
}

/** A vassal file for the fixture program; without `port` or `listen` on an address of its own. */
export function vassalText(
  options: {
    readonly port?: number;
    readonly listen?: string;
    readonly behave?: string;
    readonly more?: string;
  } = {},
): string {
  const onPort = options.port === undefined ? undefined : `http://127.0.0.1:${options.port}`;
  const lines = [
    `listen: ${options.listen ?? onPort ?? someAddress()}`,
    "static: .",
    `env: { BEHAVE: ${options.behave ?? "good"} }`,
  ];
  return `${[...lines, ...(options.more === undefined ? [] : [options.more])].join("\n")}\n`;
}
