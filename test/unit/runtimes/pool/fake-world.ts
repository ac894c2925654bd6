/** Virtual time and scripted workers for the pool's tests. */
import type { Clock, Timers } from "../../../../src/core/clock.ts";
import type { VassalEvent } from "../../../../src/ipc/link.ts";
import { WorkerPool, type PoolOptions } from "../../../../src/runtimes/pool/pool.ts";
import type {
  WorkerEvents,
  WorkerProcess,
  WorkerSource,
} from "../../../../src/runtimes/pool/worker-source.ts";

export class VirtualTime implements Clock, Timers {
  #nowMs = 0;
  #due: { readonly atMs: number; readonly callback: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_000_000 + this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const entry = { atMs: this.#nowMs + delayMs, callback };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter((each) => each !== entry);
    };
  }

  get pending(): number {
    return this.#due.length;
  }

  advance(durationMs: number): void {
    const endMs = this.#nowMs + durationMs;
    for (;;) {
      const next = this.#due.toSorted((left, right) => left.atMs - right.atMs)[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#due = this.#due.filter((each) => each !== next);
      this.#nowMs = next.atMs;
      next.callback();
    }
    this.#nowMs = endMs;
  }
}

export class FakeWorker implements WorkerProcess {
  readonly pid: number;
  readonly id: number;
  readonly events: WorkerEvents;
  readonly told: string[] = [];
  served = 0;
  busy = 0;
  rssBytes = 0;

  constructor(pid: number, id: number, events: WorkerEvents) {
    this.pid = pid;
    this.id = id;
    this.events = events;
  }

  requests(): number {
    return this.served;
  }

  inFlight(): number {
    return this.busy;
  }

  retire(): void {
    this.told.push("retire");
  }

  kill(signal: "SIGTERM" | "SIGKILL"): void {
    this.told.push(signal);
  }

  exit(code: number | undefined, signal?: string): void {
    this.events.exited({ code, signal });
  }
}

export interface FakePool {
  readonly pool: WorkerPool;
  readonly time: VirtualTime;
  /** Every worker that was ever spawned, oldest first. */
  readonly spawned: FakeWorker[];
  readonly log: VassalEvent[];
  worker(index: number): FakeWorker;
}

export function fakePool(overrides: Partial<PoolOptions> = {}): FakePool {
  const time = new VirtualTime();
  const spawned: FakeWorker[] = [];
  const log: VassalEvent[] = [];
  const source: WorkerSource = {
    spawn(id, events) {
      const worker = new FakeWorker(100 + spawned.length, id, events);
      spawned.push(worker);
      return worker;
    },
  };
  const pool = new WorkerPool({
    source,
    workers: 2,
    limits: { maxRequests: 0, maxLifetimeMs: 0, maxRssBytes: 0 },
    readyTimeoutMs: 10_000,
    drainTimeoutMs: 20_000,
    termTimeoutMs: 3000,
    clock: time,
    timers: time,
    random: () => 0.5,
    memoryBytes: (pid) => spawned[pid - 100]?.rssBytes ?? 0,
    event: (event) => log.push(event),
    ...overrides,
  });
  return { pool, time, spawned, log, worker: (index) => spawned[index]! };
}

/** A pool whose first workers are ready. */
export async function runningPool(overrides: Partial<PoolOptions> = {}): Promise<FakePool> {
  const world = fakePool(overrides);
  const started = world.pool.start();
  for (const worker of world.spawned.slice()) worker.events.ready();
  await started;
  return world;
}
