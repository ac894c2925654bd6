/** Carries out what the machine decides. Executors never decide; what happens comes back as events. */
import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../core/errors.ts";
import type { Clock, Timers } from "../core/clock.ts";
import { launchVassal } from "../launch/launch.ts";
import type { LaunchPrograms } from "../launch/plan.ts";
import { NO_TRAFFIC } from "../ipc/link.ts";
import type { DeployReceipt } from "../stats/emperor-snapshot.ts";
import type { Journal } from "./journal.ts";
import { readTail } from "./journal.ts";
import type { Child, ChildExit, Processes } from "./ports.ts";
import type { Receipts } from "./receipts.ts";
import { hashToken, socketInode } from "./running-records.ts";
import type { RunningRecords } from "./running-records.ts";
import type { HeldSocket, SocketRegistry } from "./socket-registry.ts";
import type { SpawnQueue } from "./spawn-queue.ts";
import type { StopMarks } from "./stop-marks.ts";
import type { Generation, VassalCommand, VassalEvent } from "./vassal-life.ts";
import { GenerationHandle } from "./vassal-handle.ts";
import type { VassalHandle } from "./vassal-handle.ts";
import { outputLines } from "./output-lines.ts";

/** After the exit, what the process said last may still be on its way through the channel. */
const LAST_WORDS_MS = 50;
const TAIL_BYTES = 16_384;

export type Executors = {
  readonly [T in VassalCommand["type"]]: (
    vassal: VassalHandle,
    command: Extract<VassalCommand, { type: T }>,
  ) => void;
};

export interface ExecutorDoors {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly processes: Processes;
  readonly registry: SocketRegistry;
  readonly queue: SpawnQueue;
  readonly journal: Journal;
  readonly receipts: Receipts;
  readonly stopMarks: StopMarks;
  readonly records: RunningRecords;
  readonly linkPath: string;
  /** Makes the channel's socket again when it was removed; true when it had to. */
  ensureLink(): Promise<boolean>;
  readonly runtimeDir: string;
  readonly stateDir: string;
  readonly programs: LaunchPrograms;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly envPass: readonly string[];
  dispatch(name: string, event: VassalEvent): void;
  forget(name: string): void;
}

export function createExecutors(doors: ExecutorDoors): Executors {
  return {
    askSlot: (vassal, { generation, lane }) => doors.queue.ask(vassal.name, generation, lane),
    releaseSlot: (vassal, { generation }) => doors.queue.release(vassal.name, generation),
    spawn: (vassal, { generation }) => void spawn(doors, vassal, generation),
    tellServe: (vassal, { generation }) => {
      vassal.lastReadyMs = doors.clock.wallMs();
      vassal.generation(generation)?.tell({ type: "serve" });
    },
    tellDrain: (vassal, { generation, timeoutMs }) => {
      const handle = vassal.generation(generation);
      // Without a channel the signal says the same.
      if (handle?.link === undefined) handle?.child?.kill("SIGTERM");
      else handle.tell({ type: "drain", timeoutMs });
    },
    tellStop: (vassal, { generation }) =>
      vassal.generation(generation)?.link?.send({ type: "stop" }),
    signalGroup: (vassal, { generation, signal }) =>
      vassal.generation(generation)?.child?.killGroup(signal),
    dropGeneration: (vassal, { generation }) => {
      const handle = vassal.generation(generation);
      vassal.generations.delete(generation);
      handle?.link?.close();
      handle?.dispose();
      writeRecord(doors, vassal);
    },
    recordServing: (vassal, { generation }) => {
      vassal.lastAcceptingMs = doors.clock.wallMs();
      const handle = vassal.generation(generation);
      if (handle?.record !== undefined) handle.record = { ...handle.record, serving: true };
      writeRecord(doors, vassal);
    },
    writeReceipt: (vassal, command) => writeReceipt(doors, vassal, command),
    writeRefusal: (vassal, command) => {
      vassal.lastLines = command.lines;
      keepReceipt(doors, vassal, {
        ...blankReceipt(vassal.name),
        generation: command.generation,
        previousGeneration: command.previous,
        trigger: command.previous === 0 ? "created" : "changed",
        configHash: command.hash,
        outcome: "failed",
        reason: command.reason,
        lastLines: command.lines,
        steps: { ...NO_STEPS, seenAtMs: command.seenAtMs },
      });
    },
    amendReceipt: (vassal, { by, old, step }) => amendReceipt(doors, vassal, { by, old, step }),
    persistStopMark: (vassal, { stopped }) => doors.stopMarks.set(vassal.name, stopped),
    journal: (vassal, { type: _type, ...event }) =>
      void doors.journal.add({ ...event, vassal: vassal.name }),
    forget: (vassal) => {
      doors.records.remove(vassal.name);
      doors.forget(vassal.name);
    },
  };
}

async function spawn(
  doors: ExecutorDoors,
  vassal: VassalHandle,
  generation: Generation,
): Promise<void> {
  const { name } = vassal;
  const { number, desired } = generation;
  const handle = new GenerationHandle(number, randomBytes(24).toString("base64url"));
  vassal.generations.set(number, handle);
  vassal.lastSpawnMs = doors.clock.wallMs();
  let child: Child;
  try {
    if (await doors.ensureLink()) {
      const message = `The runtime dir "${doors.runtimeDir}" was cleaned by somebody: what is needed in it was made again`;
      doors.journal.add({ kind: "trouble", message });
    }
    const listeners = doors.registry.claim(name, desired.config.listen);
    const launched = await launchVassal<Child>(
      {
        name,
        generation: number,
        config: desired.config,
        file: vassal.file,
        listeners,
        defaultLogFile: join(doors.stateDir, "logs", `${name}.log`),
        runtimeDir: doors.runtimeDir,
        link: { path: doors.linkPath, token: handle.token },
        programs: doors.programs,
        env: doors.env,
        envPass: doors.envPass,
      },
      (request) => {
        handle.logFromBytes = sizeOf(
          desired.config.log ?? join(doors.stateDir, "logs", `${name}.log`),
        );
        return doors.processes.spawn(request);
      },
    );
    child = launched.child;
    handle.child = child;
    handle.dispose = () => launched.dispose();
    handle.uid = launched.identity?.uid;
    handle.gid = launched.identity?.gid;
    handle.release = launched.spec.release;
    handle.directory = launched.spec.directory;
    handle.logFile = launched.spec.logFile;
    handle.record = recordOf(handle, child, {
      generation,
      listeners,
      scratch: launched.spec.scratch,
    });
    writeRecord(doors, vassal);
    for (const message of launched.warnings)
      doors.journal.add({ kind: "trouble", vassal: name, generation: number, message });
  } catch (error) {
    doors.dispatch(name, { type: "spawnFailed", generation: number, reason: messageOf(error) });
    return;
  }
  doors.dispatch(name, { type: "spawned", generation: number, pid: child.pid });
  const exit = await child.exited;
  if (handle.link !== undefined)
    await Promise.race([handle.link.closed, after(doors.timers, LAST_WORDS_MS)]);
  doors.dispatch(name, { type: "exited", generation: number, how: exitSentence(exit) });
}

function recordOf(
  handle: GenerationHandle,
  child: Child,
  facts: {
    readonly generation: Generation;
    readonly listeners: readonly HeldSocket[];
    readonly scratch: string;
  },
): NonNullable<GenerationHandle["record"]> {
  return {
    generation: handle.number,
    pid: child.pid,
    startTime: child.startTime,
    serving: false,
    configHash: facts.generation.desired.hash,
    tokenHash: hashToken(handle.token),
    scratch: facts.scratch,
    listeners: facts.listeners.map(({ fd, address }, index) => ({
      fd: 4 + index,
      inode: socketInode(fd),
      address: address.text,
    })),
  };
}

function writeRecord(doors: ExecutorDoors, vassal: VassalHandle): void {
  doors.records.write(
    vassal.name,
    [...vassal.generations.values()].flatMap(({ record }) => record ?? []),
  );
}

/** @example "exited with code 1", "was killed by SIGKILL" */
export function exitSentence(exit: ChildExit): string {
  if (exit.signal !== undefined) return `was killed by ${exit.signal}`;
  return exit.code === undefined ? "ended (exit status unknown)" : `exited with code ${exit.code}`;
}

function after(timers: Timers, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    timers.after(delayMs, resolve);
  });
}

function sizeOf(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    // A log that cannot be looked at has no tail either.
    return 0;
  }
}

// ---- receipts

const NO_STEPS: DeployReceipt["steps"] = {
  seenAtMs: 0,
  spawnedAtMs: 0,
  readyAtMs: 0,
  servingAtMs: 0,
  oldReleasedAtMs: 0,
  oldGoneAtMs: 0,
};

function blankReceipt(name: string): DeployReceipt {
  return {
    vassal: name,
    generation: 0,
    previousGeneration: 0,
    trigger: "created",
    configHash: "",
    release: "",
    outcome: "pending",
    reason: "",
    lastLines: [],
    steps: NO_STEPS,
    oldCounters: NO_TRAFFIC,
    connectionsReset: 0,
    requestsFailed: 0,
  };
}

function writeReceipt(
  doors: ExecutorDoors,
  vassal: VassalHandle,
  command: Extract<VassalCommand, { type: "writeReceipt" }>,
): void {
  const { generation, outcome, reason } = command;
  const handle = vassal.generation(generation.number);
  const lastLines = outcome === "failed" ? lastLinesOf(handle) : [];
  vassal.lastLines = lastLines;
  keepReceipt(doors, vassal, {
    ...blankReceipt(vassal.name),
    generation: generation.number,
    previousGeneration: generation.previous,
    trigger: generation.trigger,
    configHash: generation.desired.hash,
    release: handle?.release ?? "",
    outcome,
    reason,
    lastLines,
    steps: { ...NO_STEPS, ...generation.stamps },
  });
}

/** What it said itself, else the tail of what it wrote to the log since its start. */
function lastLinesOf(handle: GenerationHandle | undefined): readonly string[] {
  if (handle === undefined) return [];
  if (handle.failureLines.length > 0) return handle.failureLines;
  return outputLines(readTail(handle.logFile, TAIL_BYTES, handle.logFromBytes));
}

function amendReceipt(
  doors: ExecutorDoors,
  vassal: VassalHandle,
  facts: { readonly by: number; readonly old: number; readonly step: "released" | "gone" },
): void {
  const receipt = vassal.lastReceipt;
  // A later deploy has its own receipt by now; the old story is told.
  if (receipt === null || receipt.generation !== facts.by) return;
  const old = vassal.generation(facts.old);
  const atMs = doors.clock.wallMs();
  const oldCounters = old?.counters ?? receipt.oldCounters;
  const steps =
    facts.step === "released"
      ? { ...receipt.steps, oldReleasedAtMs: atMs }
      : {
          ...receipt.steps,
          oldReleasedAtMs: receipt.steps.oldReleasedAtMs || atMs,
          oldGoneAtMs: atMs,
        };
  keepReceipt(doors, vassal, {
    ...receipt,
    steps,
    oldCounters,
    connectionsReset: oldCounters.connectionsReset,
    requestsFailed: oldCounters.requestsFailed,
  });
}

function keepReceipt(doors: ExecutorDoors, vassal: VassalHandle, receipt: DeployReceipt): void {
  vassal.lastReceipt = receipt;
  doors.receipts.write(receipt, true);
}
