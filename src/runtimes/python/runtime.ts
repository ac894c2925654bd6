/** The Python container: WSGI applications in preforked interpreters behind the worker channel. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Socket } from "node:net";
import { encodeEnviron } from "../../protocol/worker-channel/environ-block.ts";
import type { WorkerSnapshot } from "../../ipc/link.ts";
import type { Exchange } from "../../server/exchange.ts";
import { DeadlineQueue } from "../deadline-queue.ts";
import { monotonicMs } from "../monotonic.ts";
import { SYSTEM_CLOCK, SYSTEM_TIMERS, poolOptions } from "../pool/pool-options.ts";
import { WorkerPool } from "../pool/pool.ts";
import type { WorkerEvents, WorkerProcess, WorkerSource } from "../pool/worker-source.ts";
import type { FrontedRuntime, Runtime, RuntimeHost } from "../runtime.ts";
import { DialIn } from "./dial-in.ts";
import type { Hello } from "./dial-in.ts";
import { Dispatcher } from "./dispatcher.ts";
import { findInterpreter } from "./interpreter.ts";
import { Job } from "./job.ts";
import { Loader } from "./loader.ts";
import type { LoaderEvents } from "./loader.ts";
import type { LoaderProcess } from "./loader-process.ts";
import { readLines } from "../output-lines.ts";
import { openFifo, removeFile } from "./output.ts";
import { signalName } from "./signal-name.ts";
import { randomToken } from "./token.ts";
import { WorkerLink } from "./worker-link.ts";
import type { LinkHost } from "./worker-link.ts";

/** The control thread of a worker answers in microseconds unless something holds the interpreter lock. */
const DUMP_MS = 500;
/** After the signal that makes faulthandler write every stack to the log. */
const FAULT_DUMP_MS = 200;
/** SIGRTMIN + 6 as glibc counts, see tsgi_loader.py. */
const FAULT_SIGNAL = 40;
/** From the end of a worker's connection to the end of its process. */
const CLOSED_MS = 1000;
/** How long other requests of a stuck worker may take to finish. */
const STUCK_GRACE_MS = 30_000;

/** A worker and what is known of its end; its process is over when both its connection and its pid are gone. */
interface Child {
  readonly link: WorkerLink;
  readonly events: WorkerEvents;
  isConnected: boolean;
  /** Its loader died: its end will be known by its connection only. */
  isOrphan: boolean;
  exit: { code: number | undefined; signal: string | undefined } | undefined;
  isOver: boolean;
}

class PythonRuntime implements FrontedRuntime, WorkerSource, LinkHost, LoaderEvents {
  readonly kind = "fronted";
  readonly #host: RuntimeHost;
  readonly #pool: WorkerPool;
  readonly #dispatcher = new Dispatcher();
  readonly #deadlines: DeadlineQueue<Job>;
  readonly #children = new Map<number, Child>();
  readonly #early: LoaderProcess | undefined;
  #dialIn: DialIn | undefined;
  #loader: Loader | undefined;
  #lastTicket = 0;
  #answered = 0;

  constructor(host: RuntimeHost, early: LoaderProcess | undefined) {
    this.#host = host;
    this.#early = early;
    // Once the loader has the application, the first fork proves that the others will do.
    const enough = host.spec.config.preload ? { enoughToStart: 1 } : {};
    this.#pool = new WorkerPool({ ...poolOptions(host, this), ...enough });
    this.#deadlines = new DeadlineQueue<Job>({
      lengthMs: host.spec.config.deadlineMs,
      clock: SYSTEM_CLOCK,
      timers: SYSTEM_TIMERS,
      expire: (job) => this.#expired(job),
    });
  }

  get answered(): number {
    return this.#answered;
  }

  async start(): Promise<void> {
    const { spec } = this.#host;
    const interpreter = findInterpreter(spec);
    const token = randomToken();
    const dialIn = new DialIn(join(spec.scratch, "python.sock"), token, (hello, socket, rest) =>
      this.#greeted(hello, socket, rest),
    );
    this.#dialIn = dialIn;
    await dialIn.listen();
    const channel = { path: dialIn.path, token };
    this.#loader = new Loader(this.#host, interpreter, channel, this, this.#early);
    await this.#loader.start();
    await this.#pool.start();
  }

  beginDrain(): void {
    this.#pool.beginDrain();
  }

  async stop(): Promise<void> {
    await this.#pool.stop();
    await this.#loader?.stop();
    this.#dialIn?.close();
  }

  workers(): readonly WorkerSnapshot[] {
    return this.#pool.snapshots();
  }

  readonly handle = (exchange: Exchange): void => {
    const block = encodeEnviron(exchange.head, exchange.peer, exchange.secure);
    if (block === undefined) {
      exchange.fail(400, "the path has a NUL byte");
      return;
    }
    const job = new Job(exchange, block);
    exchange.onAbort = () => this.#aborted(job);
    this.#deadlines.add(job);
    this.#dispatcher.add(job);
  };

  // -- as the source of the pool's workers -----------------------------------------------------------------------

  spawn(id: number, events: WorkerEvents): WorkerProcess {
    this.#lastTicket += 1;
    const ticket = this.#lastTicket;
    const { spec } = this.#host;
    const link = new WorkerLink(id, ticket, spec.config.threads, this);
    this.#children.set(ticket, {
      link,
      events,
      isConnected: false,
      isOrphan: false,
      exit: undefined,
      isOver: false,
    });
    writeFileSync(this.#begunFile(ticket), Buffer.alloc(4 * spec.config.threads), { mode: 0o600 });
    this.#loader?.fork(ticket);
    return link;
  }

  // -- as the listener of the loader -----------------------------------------------------------------------------

  forked(ticket: number, pid: number): void {
    const child = this.#children.get(ticket);
    if (child === undefined) return;
    const { link } = child;
    for (const stream of ["out", "err"] as const) {
      const fifo = openFifo(join(this.#host.spec.scratch, `${stream}-${ticket}`));
      if (fifo) readLines(fifo, (line) => this.#host.logLine(link.id, stream, line));
    }
    this.#loader?.opened(ticket);
    link.started(pid);
  }

  unforked(ticket: number, reason: string): void {
    const child = this.#children.get(ticket);
    if (child === undefined) return;
    this.#host.logLine(child.link.id, "tsgi", reason);
    for (const stream of ["out", "err"]) {
      removeFile(join(this.#host.spec.scratch, `${stream}-${ticket}`));
    }
    child.exit = { code: undefined, signal: undefined };
    this.#settle(child);
  }

  exited(pid: number, code: number | undefined, signal: number | undefined): void {
    for (const child of this.#children.values()) {
      if (child.link.pid !== pid) continue;
      child.exit = { code, signal: signal === undefined ? undefined : signalName(signal) };
      this.#settle(child);
    }
  }

  orphaned(): void {
    for (const child of this.#children.values()) {
      if (child.link.pid === 0) continue;
      child.isOrphan = true;
      // One that has not reported yet cannot be told from one that died before.
      if (!child.isConnected) child.link.signal("SIGKILL");
      this.#settle(child);
    }
  }

  // -- as the host of worker links -------------------------------------------------------------------------------

  dirty(link: WorkerLink): void {
    this.#dispatcher.dirty(link);
  }

  ready(link: WorkerLink): void {
    const child = this.#children.get(link.ticket);
    if (child === undefined) return;
    child.events.ready();
    this.#dispatcher.join(link);
  }

  progressed(link: WorkerLink, count: number): void {
    if (count > 0) {
      this.#pool.noteProgress(link);
      this.#dispatcher.wake(link);
    }
  }

  finished(job: Job): void {
    this.#answered += 1;
    this.#deadlines.remove(job);
  }

  givenBack(jobs: readonly Job[]): void {
    this.#dispatcher.giveBack(jobs);
  }

  closed(link: WorkerLink): void {
    const child = this.#children.get(link.ticket);
    if (child === undefined) return;
    child.isConnected = false;
    this.#dispatcher.leave(link);
    this.#rescue(link);
    this.#settle(child);
    // A process that only closed its connections is of no use either.
    const kill = (): void => {
      if (!child.isOver) link.signal("SIGKILL");
    };
    if (!child.isOver) setTimeout(kill, CLOSED_MS).unref();
  }

  fault(link: WorkerLink, message: string): void {
    this.#host.logLine(link.id, "tsgi", message);
  }

  #greeted(hello: Hello, socket: Socket, rest: Buffer): void {
    if (hello.role === "loader") {
      this.#loader?.attach(socket, rest);
      return;
    }
    const child = this.#children.get(hello.ticket);
    if (child === undefined || child.exit !== undefined) {
      socket.destroy();
      return;
    }
    if (hello.role === "control") child.link.attachControl(socket, rest);
    if (hello.role === "data") {
      child.isConnected = true;
      child.link.attachData(socket, rest);
    }
  }

  /** Requests of a dead worker: those that had begun cannot be given to another one. */
  #rescue(link: WorkerLink): void {
    const begun = this.#begunIds(link);
    const unbegun: Job[] = [];
    for (const job of link.jobs.takeAll()) {
      if (job.id > begun || job.exchange.done) {
        unbegun.push(job);
        continue;
      }
      this.#deadlines.remove(job);
      job.takenBack();
      job.exchange.fail(502, `worker ${link.id} (pid ${link.pid}) died while it ran the request`);
    }
    this.#dispatcher.giveBack(unbegun);
  }

  /** The highest id that any of its threads has begun: they are begun in order. */
  #begunIds(link: WorkerLink): number {
    try {
      const bytes = readFileSync(this.#begunFile(link.ticket));
      let highest = 0;
      for (let at = 0; at + 4 <= bytes.length; at += 4) {
        highest = Math.max(highest, bytes.readUInt32LE(at));
      }
      return highest;
    } catch {
      return Number.MAX_SAFE_INTEGER;
    }
  }

  #settle(child: Child): void {
    if (child.isConnected || child.isOver) return;
    if (child.exit === undefined && !child.isOrphan) return;
    child.isOver = true;
    this.#children.delete(child.link.ticket);
    this.#dispatcher.leave(child.link);
    child.link.destroy();
    removeFile(this.#begunFile(child.link.ticket));
    child.events.exited(child.exit ?? { code: undefined, signal: undefined });
  }

  #aborted(job: Job): void {
    if (job.sink === undefined) {
      this.#deadlines.remove(job);
      this.#dispatcher.remove(job);
      return;
    }
    this.#linkOf(job)?.abandon(job);
  }

  #linkOf(job: Job): WorkerLink | undefined {
    return job.sink instanceof WorkerLink ? job.sink : undefined;
  }

  /** 504 to this request alone; its stack goes to the log, its worker goes once a new one is ready. */
  #expired(job: Job): void {
    const { exchange } = job;
    const link = this.#linkOf(job);
    const { method, target } = exchange.head;
    const seconds = this.#host.spec.config.deadlineMs / 1000;
    const what = `${method} ${JSON.stringify(target)} took longer than ${seconds} s`;
    if (!exchange.done) exchange.fail(504, what);
    if (link === undefined || link.jobs.get(job.id) !== job) {
      this.#dispatcher.remove(job);
      return;
    }
    if (job.id > this.#begunIds(link)) {
      link.abandon(job);
      return;
    }
    if (!job.isOrphan && this.#beganLate(link)) {
      // The client's time is over, the worker's is not: it waited for another request.
      link.abandon(job);
      this.#deadlines.add(job);
      return;
    }
    link.dump(job, DUMP_MS, (stack) => {
      this.#host.event({
        kind: "deadline",
        message: `worker ${link.id}: ${what}`,
        worker: link.id,
        pid: link.pid,
      });
      if (stack !== "") {
        for (const line of stack.trimEnd().split("\n")) this.#host.logLine(link.id, "tsgi", line);
        this.#replace(link);
        return;
      }
      link.signal(FAULT_SIGNAL);
      setTimeout(() => this.#replace(link), FAULT_DUMP_MS).unref();
    });
  }

  /** True when the request that runs now began well after it had arrived; with threads nobody can tell. */
  #beganLate(link: WorkerLink): boolean {
    const ranMs = monotonicMs() - link.progressAtMs;
    return link.threads === 1 && ranMs < this.#host.spec.config.deadlineMs * 0.9;
  }

  #replace(link: WorkerLink): void {
    this.#pool.replaceNow(link, "a request in it was past its deadline", STUCK_GRACE_MS);
  }

  #begunFile(ticket: number): string {
    return join(this.#host.spec.scratch, `begun-${ticket}`);
  }
}

/** `early` is the interpreter that was started while this program was still being evaluated, if one was. */
export function createPythonRuntime(host: RuntimeHost, early?: LoaderProcess): Runtime {
  return new PythonRuntime(host, early);
}
