/** A node worker as the vassal process sees it: its child process, what it last reported, and the channel to it. */
import { spawn } from "node:child_process";
import type { ChildProcess, StdioOptions } from "node:child_process";
import type { Duplex, Readable } from "node:stream";
import { LineDecoder, NO_TRAFFIC, type TrafficCounters } from "../../ipc/link.ts";
import type { RuntimeHost } from "../runtime.ts";
import type { WorkerEvents, WorkerProcess } from "../pool/worker-source.ts";
import { readLines } from "../output-lines.ts";
import type { FromWorker, ToWorker, WorkerReport } from "./worker-messages.ts";
import {
  CHANNEL_FD,
  FIRST_WORKER_LISTEN_FD,
  REQUEST_LOG_FD,
  SETTINGS_VARIABLE,
  type WorkerSettings,
} from "./worker-settings.ts";

const LAST_WORDS_MS = 200;
const NO_REPORT: WorkerReport = { requests: 0, inFlight: 0, counters: NO_TRAFFIC };

/** What the runtime does about a worker's words. */
export interface NodeWorkerHost {
  heard(worker: NodeWorkerProcess, message: FromWorker): void;
  /** Its process has ended; comes before `exited` of its pool. */
  ended(worker: NodeWorkerProcess): void;
}

export class NodeWorkerProcess implements WorkerProcess {
  readonly id: number;
  readonly pid: number;
  report = NO_REPORT;
  readonly #child: ChildProcess;
  readonly #channel: Duplex | undefined;
  readonly #drainTimeoutMs: number;
  #isOver = false;
  #isRetiring = false;
  #isSpent = false;

  constructor(
    id: number,
    target: string,
    runtime: RuntimeHost,
    events: WorkerEvents,
    host: NodeWorkerHost,
  ) {
    this.id = id;
    this.#drainTimeoutMs = runtime.spec.config.drainTimeoutMs;
    this.#child = spawnWorker(id, target, runtime);
    this.pid = this.#child.pid ?? 0;
    this.#child.once("error", (error) => {
      // Not started at all: no 'exit' follows.
      if (this.#child.pid !== undefined) return;
      runtime.logLine(id, "tsgi", `Cannot start a worker: ${error.message}`);
      this.#ended(events, host, undefined, undefined);
    });
    this.#child.once("exit", (code, signal) => {
      const over = (): void => this.#ended(events, host, code, signal);
      // Its last words first; but a child of the application may hold the pipes open for ever.
      const timer = setTimeout(over, LAST_WORDS_MS);
      this.#child.once("close", () => {
        clearTimeout(timer);
        over();
      });
    });
    this.#readOutput(runtime);
    this.#channel = this.#child.stdio[CHANNEL_FD] as Duplex | undefined;
    if (this.#channel) this.#listen(this.#channel, host, runtime);
  }

  get counters(): TrafficCounters {
    return this.report.counters;
  }

  requests(): number {
    return this.report.requests;
  }

  inFlight(): number {
    return this.report.inFlight;
  }

  retire(): void {
    this.#isRetiring = true;
    if (this.#isSpent) this.kill("SIGKILL");
    else this.send({ type: "drain", timeoutMs: this.#drainTimeoutMs, exit: true });
  }

  /** Its event loop is blocked for good and its clients have been answered: no reason to let it retire slowly. */
  spent(): void {
    this.#isSpent = true;
    if (this.#isRetiring) this.kill("SIGKILL");
  }

  kill(signal: "SIGTERM" | "SIGKILL"): void {
    this.#child.kill(signal);
  }

  send(message: ToWorker): void {
    if (this.#channel?.writable === true) this.#channel.write(`${JSON.stringify(message)}\n`);
  }

  #readOutput(runtime: RuntimeHost): void {
    const [, out, err] = this.#child.stdio;
    const log = this.#child.stdio[REQUEST_LOG_FD] as Readable | null | undefined;
    if (out) readLines(out, (line) => runtime.logLine(this.id, "out", line));
    if (err) readLines(err, (line) => runtime.logLine(this.id, "err", line));
    if (log) readLines(log, (line) => runtime.logLine(this.id, "req", line));
  }

  #listen(channel: Duplex, host: NodeWorkerHost, runtime: RuntimeHost): void {
    const decoder = new LineDecoder();
    channel.setEncoding("utf8");
    channel.on("data", (chunk: string) => {
      try {
        for (const message of decoder.push(chunk)) this.#take(message, host);
      } catch (error) {
        // Only an application that writes to descriptors at random comes here; its worker can stay.
        runtime.logLine(this.id, "tsgi", `Cannot read the channel of a worker: ${String(error)}`);
      }
    });
    // EPIPE and ECONNRESET: 'exit' follows.
    channel.on("error", () => undefined);
  }

  #take(value: unknown, host: NodeWorkerHost): void {
    if (typeof value !== "object" || value === null || !("type" in value)) return;
    const message = value as FromWorker;
    if (message.type === "report" || message.type === "drained") this.report = message.report;
    host.heard(this, message);
  }

  #ended(
    events: WorkerEvents,
    host: NodeWorkerHost,
    code: number | null | undefined,
    signal: string | null | undefined,
  ): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.report = {
      ...this.report,
      inFlight: 0,
      counters: { ...this.report.counters, connectionsOpen: 0 },
    };
    host.ended(this);
    events.exited({ code: code ?? undefined, signal: signal ?? undefined });
  }
}

function spawnWorker(id: number, target: string, { spec }: RuntimeHost): ChildProcess {
  const { config, listeners, programs } = spec;
  const settings: WorkerSettings = {
    id,
    target,
    program: programs.nodeWorker,
    listeners: listeners.map(({ address }, index) => ({
      fd: FIRST_WORKER_LISTEN_FD + index,
      address,
    })),
    limits: config.http,
    requestLog: config.requestLog,
    deadlineMs: config.deadlineMs,
    drainTimeoutMs: config.drainTimeoutMs,
  };
  const stdio: StdioOptions = [
    "ignore",
    "pipe",
    "pipe",
    "pipe",
    config.requestLog === "none" ? "ignore" : "pipe",
    ...listeners.map(({ fd }) => fd),
  ];
  return spawn(config.interpreter ?? programs.node, ["--require", programs.nodeWorker, target], {
    cwd: spec.release,
    env: { ...spec.env, [SETTINGS_VARIABLE]: JSON.stringify(settings) },
    stdio,
  });
}
