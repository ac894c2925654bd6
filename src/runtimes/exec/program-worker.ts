/** One worker process of an `exec` program: its socket, its output, its readiness, its connections and its end. */
import type { Readable } from "node:stream";
import { spawn, type ChildProcess } from "node:child_process";
import { messageOf } from "../../core/errors.ts";
import { readLines } from "../output-lines.ts";
import { SYSTEM_CLOCK, SYSTEM_TIMERS } from "../pool/pool-options.ts";
import type { WorkerEvents, WorkerProcess } from "../pool/worker-source.ts";
import { planLaunch, type LaunchFacts } from "./launch-plan.ts";
import { portProblem } from "./port-owner.ts";
import { killTree, signal } from "./process-tree.ts";
import { Readiness, type ReadyTest } from "./readiness.ts";
import { UpstreamPool } from "./upstream-pool.ts";
import { BACKEND_HOST, openWorkerSocket, type WorkerSocket } from "./worker-socket.ts";

export interface ProgramOptions {
  readonly launch: Omit<LaunchFacts, "host" | "port">;
  /** The release of this generation: the working directory. */
  readonly directory: string;
  readonly readyTest: ReadyTest;
  readonly logLine: (worker: number, stream: "out" | "err" | "tsgi", line: string) => void;
}

/** Output that is still in the pipe when the process ends is waited for, but a grandchild may hold the pipe open. */
const LAST_OUTPUT_MS = 500;

/** From the first sign of a dying process to its exit, mostly; a program that only broke off a request loses no more. */
const SUSPENSION_MS = 50;

export class ProgramWorker implements WorkerProcess {
  readonly id: number;
  /** 0 until it is spawned, a moment after creation. */
  pid = 0;
  /** Ready, and neither retiring nor gone. */
  serving = false;
  /** Out of service because it refused a connection. */
  suspended = false;
  upstream: UpstreamPool | undefined;
  address = { host: BACKEND_HOST, port: 0 };
  readonly #options: ProgramOptions;
  readonly #events: WorkerEvents;
  #readiness: Readiness | undefined;
  #requests = 0;
  #inFlight = 0;
  #retiring = false;
  #running = false;
  #wasReady = false;
  #gone = false;

  constructor(id: number, options: ProgramOptions, events: WorkerEvents) {
    this.id = id;
    this.#options = options;
    this.#events = events;
    openWorkerSocket().then(
      (socket) => this.#spawn(socket),
      (error: unknown) => this.#failed(error),
    );
  }

  requests(): number {
    return this.#requests;
  }

  inFlight(): number {
    return this.#inFlight;
  }

  /** A request begins; `endRequest` must follow. */
  beginRequest(): void {
    this.#requests += 1;
    this.#inFlight += 1;
  }

  endRequest(): void {
    this.#inFlight -= 1;
    if (this.#retiring) this.#endWhenIdle();
  }

  /**
   * Takes it out of service until a connection can be made again; `back` is called then. False when it is not in
   * service anyway.
   */
  suspend(back: () => void): boolean {
    if (!this.serving || !this.#running) return false;
    this.serving = false;
    this.suspended = true;
    this.#readiness = new Readiness(
      this.address,
      { kind: "connect" },
      {
        verify: () => this.#portProblem(),
        ready: () => {
          this.suspended = false;
          this.serving = true;
          back();
        },
      },
    );
    this.#readiness.start(SUSPENSION_MS);
    return true;
  }

  /** SIGTERM comes when no request is under way: many programs drop what they do on it. */
  retire(): void {
    this.#withdraw();
    this.#retiring = true;
    this.#endWhenIdle();
  }

  kill(name: "SIGTERM" | "SIGKILL"): void {
    this.#withdraw();
    if (this.#gone) return;
    if (this.#readiness !== undefined && !this.#wasReady) {
      const { problem } = this.#readiness;
      this.#options.logLine(this.id, "tsgi", `the program was not ready: ${problem}`);
    }
    if (!this.#running) {
      queueMicrotask(() => this.#exited({ code: undefined, signal: name }));
      return;
    }
    if (name === "SIGKILL") killTree(this.pid);
    else signal(this.pid, name);
  }

  /** A socket that we have made cannot be anybody else's; a port that was free may be by now. */
  #portProblem(): string | undefined {
    if (this.#options.launch.socket !== "port") return undefined;
    return portProblem(this.pid, this.address.port);
  }

  #withdraw(): void {
    this.serving = false;
    this.suspended = false;
    this.#readiness?.stop();
  }

  #endWhenIdle(): void {
    if (this.#inFlight > 0) return;
    this.upstream?.closeIdle();
    this.kill("SIGTERM");
  }

  #spawn(socket: WorkerSocket): void {
    if (this.#gone) return socket.release();
    this.address = { host: BACKEND_HOST, port: socket.port };
    const plan = planLaunch({ ...this.#options.launch, ...this.address });
    // A program that binds $PORT itself needs it free first.
    if (!plan.inheritsSocket) socket.release();
    const [file, ...args] = plan.argv;
    try {
      const child = spawn(file, args, {
        cwd: this.#options.directory,
        env: plan.env,
        stdio: [plan.inheritsSocket ? socket.fd : "ignore", "pipe", "pipe"],
      });
      this.#watch(child);
    } catch (error) {
      this.#failed(error);
    }
    if (plan.inheritsSocket) socket.release();
    return undefined;
  }

  #watch(child: ChildProcess): void {
    this.#readLines(child.stdout, "out");
    this.#readLines(child.stderr, "err");
    child.on("error", (error) => this.#failed(error));
    if (child.pid === undefined) return;
    this.pid = child.pid;
    this.#running = true;
    let how = { code: undefined as number | undefined, signal: undefined as string | undefined };
    let timer: NodeJS.Timeout | undefined;
    child.on("exit", (code, name) => {
      this.#running = false;
      this.#withdraw();
      how = { code: code ?? undefined, signal: name ?? undefined };
      timer = setTimeout(() => this.#exited(how), LAST_OUTPUT_MS);
    });
    child.on("close", () => {
      clearTimeout(timer);
      this.#exited(how);
    });
    this.upstream = new UpstreamPool(this.address, SYSTEM_CLOCK, SYSTEM_TIMERS);
    this.#readiness = new Readiness(this.address, this.#options.readyTest, {
      verify: () => this.#portProblem(),
      ready: () => {
        this.serving = true;
        this.#wasReady = true;
        this.#events.ready();
      },
    });
    this.#readiness.start();
  }

  #readLines(stream: Readable | null, name: "out" | "err"): void {
    if (stream) readLines(stream, (line) => this.#options.logLine(this.id, name, line));
  }

  #failed(error: unknown): void {
    if (this.#running || this.#gone) return;
    this.#options.logLine(this.id, "err", `Cannot start the program: ${messageOf(error)}`);
    this.#exited({ code: undefined, signal: undefined });
  }

  #exited(how: { readonly code: number | undefined; readonly signal: string | undefined }): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#withdraw();
    // Answers that it has sent before are still on their way; those connections end by themselves.
    this.upstream?.closeIdle();
    this.#events.exited(how);
  }
}
