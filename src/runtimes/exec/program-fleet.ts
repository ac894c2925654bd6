/** The worker processes of one program and the exchanges among them: who gets a request, and what happens when none can. */
import type { WorkerSnapshot } from "../../ipc/link.ts";
import type { Exchange } from "../../server/exchange.ts";
import { DeadlineQueue } from "../deadline-queue.ts";
import { SYSTEM_CLOCK, SYSTEM_TIMERS, poolOptions } from "../pool/pool-options.ts";
import { WorkerPool } from "../pool/pool.ts";
import type { RuntimeHost } from "../runtime.ts";
import type { WorkerEvents } from "../pool/worker-source.ts";
import { ProgramWorker, type ProgramOptions } from "./program-worker.ts";
import { ProxyExchange, type ProxyHost } from "./proxy-exchange.ts";

/** While no worker serves (all have died at once): so many requests wait, so long. */
const MOST_WAITING = 1024;
const LONGEST_WAIT_MS = 10_000;
/** A program that refuses connections for so long has lost its socket. */
const UNREACHABLE_MS = 2000;

export class ProgramFleet implements ProxyHost {
  /** Responses whose head came from the program. */
  answeredCount = 0;
  readonly deadlines: DeadlineQueue<ProxyExchange>;
  readonly #host: RuntimeHost;
  readonly #options: ProgramOptions;
  readonly #pool: WorkerPool;
  readonly #workers = new Set<ProgramWorker>();
  /** Exchanges without a worker, with the way to forget their patience. */
  readonly #waiting = new Map<ProxyExchange, () => void>();

  constructor(host: RuntimeHost, options: ProgramOptions) {
    this.#host = host;
    this.#options = options;
    const spawn = (id: number, events: WorkerEvents): ProgramWorker => this.#spawn(id, events);
    this.#pool = new WorkerPool(poolOptions(host, { spawn }));
    this.deadlines = new DeadlineQueue({
      lengthMs: host.spec.config.deadlineMs,
      clock: SYSTEM_CLOCK,
      timers: SYSTEM_TIMERS,
      expire: (late) => this.#expired(late),
    });
  }

  /** Rejects with StartFailure when a worker ends before it is ready. */
  start(): Promise<void> {
    return this.#pool.start();
  }

  beginDrain(): void {
    this.#pool.beginDrain();
  }

  async stop(): Promise<void> {
    for (const exchange of this.#waiting.keys()) exchange.fail(503, "the vassal stops");
    await this.#pool.stop();
  }

  workers(): readonly WorkerSnapshot[] {
    return this.#pool.snapshots();
  }

  handle(exchange: Exchange): void {
    this.dispatch(new ProxyExchange(exchange, this));
  }

  dispatch(proxy: ProxyExchange): void {
    const worker = this.#pick();
    if (worker !== undefined) proxy.begin(worker);
    else this.#wait(proxy);
  }

  /**
   * Its process may be ending, or has closed its socket: it gets nothing for a moment, until it accepts again or is
   * replaced; so the death of a worker costs only what was with it.
   */
  suspect(worker: ProgramWorker): void {
    if (!worker.suspend(() => this.#serveWaiting())) return;
    SYSTEM_TIMERS.after(UNREACHABLE_MS, () => {
      if (!worker.suspended) return;
      const { drainTimeoutMs } = this.#host.spec.config;
      this.#pool.replaceNow(worker, "it does not accept connections", drainTimeoutMs);
    });
  }

  /** The serving worker with the fewest requests under way. */
  #pick(): ProgramWorker | undefined {
    let best: ProgramWorker | undefined;
    for (const worker of this.#workers) {
      if (!worker.serving) continue;
      if (best === undefined || worker.inFlight() < best.inFlight()) best = worker;
    }
    // Last in line now, so that equally free workers take turns.
    if (best !== undefined && this.#workers.size > 1) {
      this.#workers.delete(best);
      this.#workers.add(best);
    }
    return best;
  }

  answered(worker: ProgramWorker): void {
    this.answeredCount += 1;
    this.#pool.noteProgress(worker);
  }

  #spawn(id: number, events: WorkerEvents): ProgramWorker {
    const worker = new ProgramWorker(id, this.#options, {
      ready: () => {
        events.ready();
        this.#serveWaiting();
      },
      exited: (how) => {
        this.#workers.delete(worker);
        events.exited(how);
      },
    });
    this.#workers.add(worker);
    return worker;
  }

  #wait(proxy: ProxyExchange): void {
    if (this.#waiting.size >= MOST_WAITING) {
      proxy.fail(503, `no worker serves, and ${MOST_WAITING} requests wait already`);
      return;
    }
    const cancel = SYSTEM_TIMERS.after(LONGEST_WAIT_MS, () => {
      this.#waiting.delete(proxy);
      proxy.fail(503, `no worker served within ${LONGEST_WAIT_MS} ms`);
    });
    this.#waiting.set(proxy, cancel);
  }

  #serveWaiting(): void {
    for (const [proxy, cancel] of this.#waiting) {
      const worker = this.#pick();
      if (worker === undefined) return;
      cancel();
      this.#waiting.delete(proxy);
      if (!proxy.over) proxy.begin(worker);
    }
  }

  /** Others are still well served by the worker: it ends when they are done, once its replacement is ready. */
  #expired(late: ProxyExchange): void {
    const { worker } = late;
    const { method, target } = late.exchange.head;
    const { deadlineMs, drainTimeoutMs } = this.#host.spec.config;
    const cause = `deadline of ${deadlineMs} ms passed: ${method} ${target.slice(0, 500)}`;
    if (worker !== undefined) {
      const { id, pid } = worker;
      const message = `worker ${id} (pid ${pid}): ${cause}; answered 504, the worker is replaced`;
      this.#host.event({ kind: "deadline", message, worker: id, pid });
    }
    late.fail(504, cause);
    if (worker !== undefined) this.#pool.replaceNow(worker, "deadline", drainTimeoutMs);
  }
}
