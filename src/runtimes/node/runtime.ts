/** The container of Node applications: worker processes that accept on the vassal's sockets themselves. */
import type { TrafficCounters, WorkerSnapshot } from "../../ipc/link.ts";
import { poolOptions } from "../pool/pool-options.ts";
import { WorkerPool } from "../pool/pool.ts";
import type { WorkerEvents, WorkerProcess } from "../pool/worker-source.ts";
import { StartFailure } from "../runtime.ts";
import type { AcceptingRuntime, CreateRuntime, RuntimeHost } from "../runtime.ts";
import { addCounters, sumCounters } from "./counters.ts";
import { NO_TRAFFIC } from "../../ipc/link.ts";
import { noWorker } from "./no-worker.ts";
import { probeUntilWell } from "../../server/probe-until-well.ts";
import { resolveTarget } from "./target.ts";
import { NodeWorkerProcess } from "./worker-process.ts";
import type { FromWorker } from "./worker-messages.ts";

export const createNodeRuntime: CreateRuntime = (host) => new NodeRuntime(host);

/** How long a blocked worker may take to answer its clients and to log its stack. */
const SPENT_WITHIN_MS = 3000;

/** Facts about one worker that the pool does not keep. */
interface WorkerFacts {
  readonly events: WorkerEvents;
  accepting: boolean;
  /** Its event loop is blocked: it accepts nothing, and says nothing any more. */
  isStuck: boolean;
  released: boolean;
  drained: boolean;
  probed: ((answer: string) => void) | undefined;
}

class NodeRuntime implements AcceptingRuntime {
  readonly kind = "accepting";
  readonly #host: RuntimeHost;
  readonly #pool: WorkerPool;
  readonly #workers = new Map<NodeWorkerProcess, WorkerFacts>();
  #phase: "starting" | "serving" | "draining" = "starting";
  #target = "";
  #past = NO_TRAFFIC;
  #failure: string | undefined;
  /** Called whenever a fact about a worker has changed. */
  readonly #waiters = new Set<() => void>();

  constructor(host: RuntimeHost) {
    this.#host = host;
    this.#pool = new WorkerPool(
      poolOptions(host, { spawn: (id, events) => this.#spawn(id, events) }),
    );
  }

  async start(): Promise<void> {
    const { spec } = this.#host;
    this.#target = resolveTarget(
      spec.release,
      spec.config.app.kind === "node" ? spec.config.app.target : "",
    );
    try {
      await this.#pool.start();
    } catch (error) {
      throw this.#failure === undefined ? error : new StartFailure(this.#failure);
    }
    const { health } = spec.config;
    if (health !== undefined) {
      await Promise.all([...this.#workers.keys()].map((worker) => this.#untilWell(worker, health)));
    }
  }

  async serve(): Promise<void> {
    this.#phase = "serving";
    for (const worker of this.#workers.keys()) worker.send({ type: "serve" });
    await this.#until(() => every(this.#workers, (facts) => facts.accepting));
  }

  beginDrain(): void {
    this.#phase = "draining";
    this.#pool.beginDrain();
  }

  async drain(timeoutMs: number, released: () => void): Promise<void> {
    this.beginDrain();
    const endAtMs = performance.now() + timeoutMs;
    for (const [worker, { isStuck }] of this.#workers) {
      // One that is blocked hears nothing: it is ended as soon as its clients have been answered.
      if (isStuck) worker.retire();
      else worker.send({ type: "drain", timeoutMs, exit: false });
    }
    await this.#until(() => every(this.#workers, (facts) => facts.released), timeoutMs);
    released();
    await this.#until(
      () => every(this.#workers, (facts) => facts.drained),
      Math.max(0, endAtMs - performance.now()),
    );
  }

  stop(): Promise<void> {
    this.#phase = "draining";
    return this.#pool.stop();
  }

  workers(): readonly WorkerSnapshot[] {
    return this.#pool.snapshots();
  }

  get answered(): number {
    return this.counters().requestsServed;
  }

  counters(): TrafficCounters {
    const living = sumCounters([...this.#workers.keys()].map((worker) => worker.counters));
    return addCounters(this.#past, living);
  }

  #spawn(id: number, events: WorkerEvents): WorkerProcess {
    // A drain needs no new worker: it would have no connection to look after.
    if (this.#phase === "draining") return noWorker(events);
    const worker = new NodeWorkerProcess(id, this.#target, this.#host, events, {
      heard: (worker, message) => this.#heard(worker, message),
      ended: (worker) => {
        this.#workers.get(worker)?.probed?.("nothing: the worker ended");
        this.#workers.delete(worker);
        this.#past = addCounters(this.#past, worker.counters);
        this.#changed();
      },
    });
    this.#workers.set(worker, {
      events,
      accepting: false,
      isStuck: false,
      released: false,
      drained: false,
      probed: undefined,
    });
    return worker;
  }

  #heard(worker: NodeWorkerProcess, message: FromWorker): void {
    const facts = this.#workers.get(worker);
    if (facts === undefined) return;
    switch (message.type) {
      case "ready":
        this.#host.logLine(worker.id, "tsgi", `application loaded: ${message.shape}`);
        // The pool retires the old one at "ready": a replacement has to accept by then.
        if (this.#phase === "starting") facts.events.ready();
        else if (this.#phase === "serving") worker.send({ type: "serve" });
        break;
      case "accepting":
        facts.accepting = true;
        // The pool ignores it from those that were ready before serve().
        facts.events.ready();
        break;
      case "released":
        facts.released = true;
        break;
      case "drained":
        facts.released = true;
        facts.drained = true;
        break;
      case "report":
        this.#pool.noteProgress(worker);
        break;
      case "probed":
        facts.probed?.(message.answer);
        break;
      case "failed":
        this.#failure ??= `Cannot load ${this.#target}: ${message.reason}`;
        this.#event("worker-failed", worker, message.reason);
        break;
      case "overdue":
        this.#event("deadline", worker, message.text);
        this.#replace(worker, message.text, this.#host.spec.config.drainTimeoutMs);
        break;
      case "stuck":
        facts.isStuck = true;
        facts.released = true;
        // It cannot count any more.
        this.#past = { ...this.#past, requestsFailed: this.#past.requestsFailed + 1 };
        this.#event("deadline", worker, message.text);
        this.#replace(worker, message.text, SPENT_WITHIN_MS);
        break;
      case "spent":
        facts.drained = true;
        worker.spent();
        break;
      case "note":
        this.#host.logLine(worker.id, "tsgi", message.text);
        break;
    }
    this.#changed();
  }

  #replace(worker: NodeWorkerProcess, reason: string, graceMs: number): void {
    if (this.#phase !== "draining") this.#pool.replaceNow(worker, reason, graceMs);
    else worker.retire();
  }

  async #untilWell(worker: NodeWorkerProcess, path: string): Promise<void> {
    const ask = (): Promise<string | undefined> =>
      new Promise((resolve) => {
        const facts = this.#workers.get(worker);
        if (facts === undefined) {
          resolve(undefined);
          return;
        }
        facts.probed = resolve;
        worker.send({ type: "probe", path });
      });
    await probeUntilWell(ask, (answer) =>
      this.#event("unhealthy", worker, `health ${path} answered ${answer}: waiting`),
    );
  }

  #event(kind: string, worker: NodeWorkerProcess, text: string): void {
    this.#host.event({
      kind,
      message: `worker ${worker.id}: ${text}`,
      worker: worker.id,
      pid: worker.pid,
    });
  }

  #changed(): void {
    for (const check of this.#waiters) check();
  }

  /** Resolves when `isSo`, which only changes when a worker speaks or ends; at the latest after `timeoutMs`. */
  #until(isSo: () => boolean, timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(check);
        resolve();
      };
      const check = (): void => {
        if (isSo()) done();
      };
      const timer = timeoutMs === undefined ? undefined : setTimeout(done, timeoutMs);
      this.#waiters.add(check);
      check();
    });
  }
}

function every(
  workers: ReadonlyMap<NodeWorkerProcess, WorkerFacts>,
  isSo: (facts: WorkerFacts) => boolean,
): boolean {
  return [...workers.values()].every(isSo);
}
