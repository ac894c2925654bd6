/** Keeps a number of workers alive, whatever their language: respawn, recycle, replace, stop. */
import { StartFailure } from "../runtime.ts";
import type { VassalEvent, WorkerSnapshot, WorkerState } from "../../ipc/link.ts";
import type { Clock, Timers } from "../../core/clock.ts";
import { Member } from "./member.ts";
import {
  isEarlyDeath,
  jitterLimits,
  recycleReason,
  respawnDelayMs,
  type RecycleLimits,
} from "./recycle-policy.ts";
import type { WorkerPhase } from "./worker-machine.ts";
import type { WorkerProcess, WorkerSource } from "./worker-source.ts";

export interface PoolOptions {
  readonly source: WorkerSource;
  readonly workers: number;
  /** `start` resolves when so many are ready (default: all); the others follow. */
  readonly enoughToStart?: number;
  readonly limits: RecycleLimits;
  /** For one worker from its spawn to ready. */
  readonly readyTimeoutMs: number;
  /** For one worker from "retire" to its end; then SIGKILL. */
  readonly drainTimeoutMs: number;
  /** From SIGTERM to SIGKILL. */
  readonly termTimeoutMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  /** In [0, 1). */
  readonly random: () => number;
  /** Private memory of a process; 0 when it is gone. */
  readonly memoryBytes: (pid: number) => number;
  readonly event: (event: VassalEvent) => void;
}

/** The place of one worker: it keeps its number through all replacements. */
interface Slot {
  readonly id: number;
  current: Member | undefined;
  next: Member | undefined;
  respawns: number;
  earlyDeaths: number;
  cancelRespawn: (() => void) | undefined;
}

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

const SAMPLE_MS = 1000;

const STATE_OF: Readonly<Record<WorkerPhase, WorkerState>> = {
  starting: "starting",
  serving: "idle",
  retiring: "retiring",
  terminating: "retiring",
  killed: "retiring",
  gone: "gone",
};

export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #slots: readonly Slot[];
  readonly #members = new Map<WorkerProcess, Member>();
  /** The one worker whose recycling is under way, and those that wait for their turn. */
  #recycling: Member | undefined;
  readonly #recycleQueue: Member[] = [];
  #phase: "new" | "starting" | "running" | "draining" | "stopping" = "new";
  #startWaiter: Waiter | undefined;
  #stopWaiters: (() => void)[] = [];
  #sampledAtMs = Number.NEGATIVE_INFINITY;
  #cancelSampling: (() => void) | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.workers }, (_, index) => ({
      id: index + 1,
      current: undefined,
      next: undefined,
      respawns: 0,
      earlyDeaths: 0,
      cancelRespawn: undefined,
    }));
  }

  /** Starts all workers; resolves when enough are ready, rejects with StartFailure when one dies before. */
  start(): Promise<void> {
    this.#phase = "starting";
    return new Promise((resolve, reject) => {
      this.#startWaiter = { resolve, reject };
      for (const slot of this.#slots) this.#spawn(slot);
      this.#sampleLater();
    });
  }

  /** From now on nothing is recycled; a worker that dies is still replaced, because open connections need it. */
  beginDrain(): void {
    if (this.#phase === "running") this.#phase = "draining";
    this.#recycleQueue.length = 0;
    this.#cancelSampling?.();
  }

  /** SIGTERM to every worker, SIGKILL after `termTimeoutMs`; resolves when all are gone. */
  stop(): Promise<void> {
    this.#phase = "stopping";
    this.#cancelSampling?.();
    for (const slot of this.#slots) slot.cancelRespawn?.();
    for (const member of this.#members.values()) member.input("terminate");
    this.#startWaiter?.reject(new StartFailure("Cannot start the workers: they were stopped"));
    this.#startWaiter = undefined;
    if (this.#members.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#stopWaiters.push(resolve));
  }

  get isStopping(): boolean {
    return this.#phase === "stopping";
  }

  /** Told by the owner when `requests()` of a worker has grown: the max-requests check, cheap enough for every batch. */
  noteProgress(worker: WorkerProcess): void {
    const member = this.#members.get(worker);
    if (member === undefined || member.limits.maxRequests === 0) return;
    if (worker.requests() >= member.limits.maxRequests) this.#checkLimits(member);
  }

  /**
   * Replaces a worker that is stuck: its replacement gets ready first, then the worker retires and is killed after
   * `graceMs` (0 = at once). The owner may kill it earlier. Does nothing for a worker that is unknown or gone.
   */
  replaceNow(worker: WorkerProcess, reason: string, graceMs = 0): void {
    const member = this.#members.get(worker);
    const slot = member && this.#slots[member.id - 1];
    if (member === undefined || slot === undefined || this.#phase === "stopping") return;
    member.fate = { reason, graceMs };
    if (slot.current !== member) {
      // It retires already (or never got ready): nobody waits for a replacement of it.
      if (graceMs === 0) member.input("kill");
      return;
    }
    this.#bringReplacement(slot);
  }

  /** Every process of the pool, retiring ones too; memory is at most a second old. */
  snapshots(): readonly WorkerSnapshot[] {
    this.#sampleMemory();
    return [...this.#members.values()]
      .sort((left, right) => left.id - right.id || left.startedAtMs - right.startedAtMs)
      .map((member) => this.#snapshot(member));
  }

  #snapshot(member: Member): WorkerSnapshot {
    const state = STATE_OF[member.phase];
    return {
      id: member.id,
      pid: member.process.pid,
      state: state === "idle" && member.process.inFlight() > 0 ? "busy" : state,
      requests: member.process.requests(),
      rssBytes: member.rssBytes,
      startedAtMs: member.startedWallMs,
      respawns: this.#slots[member.id - 1]?.respawns ?? 0,
    };
  }

  #spawn(slot: Slot): void {
    slot.cancelRespawn = undefined;
    const limits = jitterLimits(this.#options.limits, this.#options.random);
    const member = new Member(slot.id, limits, {
      ...this.#options,
      ready: (ready) => this.#becameReady(slot, ready),
      gone: (gone) => this.#becameGone(slot, gone),
      slowStart: (slow) => this.#slowStart(slow),
      stuck: (stuck) => this.#event("worker-killed", stuck, "did not end in time: killed"),
    });
    slot.next = member;
    this.#members.set(member.process, member);
  }

  #becameReady(slot: Slot, member: Member): void {
    const old = slot.current;
    slot.next = undefined;
    slot.current = member;
    this.#event("worker-ready", member, `is ready (pid ${member.process.pid})`);
    this.#watchLifetime(member);
    if (old !== undefined) {
      slot.respawns += 1;
      this.#event("worker-recycled", old, `is replaced: ${old.fate?.reason ?? "asked to"}`);
      old.input(old.fate?.graceMs === 0 ? "kill" : "retire");
    }
    const { enoughToStart = this.#slots.length } = this.#options;
    const serving = this.#slots.filter((each) => each.current !== undefined).length;
    if (this.#phase === "starting" && serving >= enoughToStart) {
      this.#phase = "running";
      this.#startWaiter?.resolve();
      this.#startWaiter = undefined;
    }
  }

  #becameGone(slot: Slot, member: Member): void {
    this.#members.delete(member.process);
    const retired = slot.current !== member && slot.next !== member;
    if (slot.current === member) slot.current = undefined;
    if (slot.next === member) slot.next = undefined;
    this.#recycled(member);
    if (this.#phase === "stopping") {
      if (this.#members.size === 0) for (const resolve of this.#stopWaiters.splice(0)) resolve();
      return;
    }
    if (retired) return;
    this.#died(slot, member);
  }

  #died(slot: Slot, member: Member): void {
    const { code, signal } = member.exit;
    const how = signal === undefined ? `with exit code ${code ?? "unknown"}` : `by ${signal}`;
    const served = this.#options.clock.nowMs() - (member.readyAtMs ?? 0);
    const early = isEarlyDeath(member.readyAtMs !== undefined, served);
    const when = member.readyAtMs === undefined ? " before it was ready" : "";
    this.#event("worker-died", member, `died ${how}${when} (pid ${member.process.pid})`);
    if (this.#phase === "starting" && member.readyAtMs === undefined) {
      this.#startWaiter?.reject(
        new StartFailure(`Cannot start worker ${member.id}: it died ${how}${when}`),
      );
      this.#startWaiter = undefined;
      return;
    }
    slot.earlyDeaths = early ? slot.earlyDeaths + 1 : 0;
    if (slot.next !== undefined) return;
    slot.respawns += 1;
    this.#respawn(slot);
  }

  #respawn(slot: Slot): void {
    const delayMs = respawnDelayMs(slot.earlyDeaths);
    slot.cancelRespawn?.();
    if (delayMs === 0) this.#spawn(slot);
    else slot.cancelRespawn = this.#options.timers.after(delayMs, () => this.#spawn(slot));
  }

  #bringReplacement(slot: Slot): void {
    if (slot.next === undefined && slot.cancelRespawn === undefined) this.#respawn(slot);
  }

  #slowStart(member: Member): void {
    this.#event(
      "worker-killed",
      member,
      `was not ready within ${this.#options.readyTimeoutMs} ms: killed`,
    );
  }

  #watchLifetime(member: Member): void {
    const { maxLifetimeMs } = member.limits;
    if (maxLifetimeMs === 0 || member.phase === "gone") return;
    const leftMs = maxLifetimeMs - (this.#options.clock.nowMs() - member.startedAtMs);
    if (leftMs <= 0) this.#checkLimits(member);
    else this.#options.timers.after(Math.ceil(leftMs), () => this.#watchLifetime(member));
  }

  #checkLimits(member: Member): void {
    const slot = this.#slots[member.id - 1];
    if (this.#phase !== "running" || slot?.current !== member || member.fate !== undefined) return;
    const reason = recycleReason(member.limits, {
      requests: member.process.requests(),
      ageMs: this.#options.clock.nowMs() - member.startedAtMs,
      rssBytes: member.rssBytes,
    });
    if (reason === undefined) return;
    if (this.#recycling !== undefined) {
      if (!this.#recycleQueue.includes(member)) this.#recycleQueue.push(member);
      return;
    }
    this.#recycling = member;
    member.fate = { reason, graceMs: this.#options.drainTimeoutMs };
    this.#bringReplacement(slot);
  }

  /** The turn of the next one, when `member` was the one being recycled. */
  #recycled(member: Member): void {
    const waiting = this.#recycleQueue.indexOf(member);
    if (waiting >= 0) this.#recycleQueue.splice(waiting, 1);
    if (this.#recycling !== member) return;
    this.#recycling = undefined;
    while (this.#recycling === undefined) {
      const next = this.#recycleQueue.shift();
      if (next === undefined) return;
      this.#checkLimits(next);
    }
  }

  /** Without a limit on memory nobody needs a timer: `snapshots` samples when it is asked. */
  #sampleLater(): void {
    if (this.#options.limits.maxRssBytes === 0) return;
    this.#cancelSampling = this.#options.timers.after(SAMPLE_MS, () => {
      this.#sampleMemory();
      for (const slot of this.#slots) if (slot.current) this.#checkLimits(slot.current);
      this.#sampleLater();
    });
  }

  #sampleMemory(): void {
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - this.#sampledAtMs < SAMPLE_MS) return;
    this.#sampledAtMs = nowMs;
    for (const member of this.#members.values()) {
      member.rssBytes = this.#options.memoryBytes(member.process.pid);
    }
  }

  #event(kind: string, member: Member, text: string): void {
    this.#options.event({
      kind,
      message: `worker ${member.id} ${text}`,
      worker: member.id,
      pid: member.process.pid,
    });
  }
}
