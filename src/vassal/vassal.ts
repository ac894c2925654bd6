/**
 * One generation of a vassal: its runtime, its front, its link to the emperor.
 *
 *   loading ──ready──▶ ready ──serve──▶ serving ──drain──▶ draining ──▶ exit 0
 *      └─ StartFailure ─▶ failed (exit 22)          └─ stop ─▶ exit 0
 */
import { messageOf } from "../core/errors.ts";
import { VASSAL_EXIT } from "../core/exit-codes.ts";
import type { ToVassal, TrafficCounters, VassalEvent } from "../ipc/link.ts";
import type { VassalSpec } from "../ipc/vassal-spec.ts";
import type { CreateRuntime, RuntimeHost } from "../runtimes/runtime.ts";
import { EmperorLink } from "./emperor-link.ts";
import { createGate } from "./gate.ts";
import type { Gate } from "./gate.ts";
import { LastLines } from "./last-lines.ts";
import { LogFile } from "./log-file.ts";
import type { LogStream } from "./log-file.ts";

const HEARTBEAT_MS = 5000;
/** Beyond the drain timeout, for workers to end. */
const STOP_MARGIN_MS = 5000;

export type Phase = "loading" | "ready" | "serving" | "draining" | "ended";

export class Vassal {
  readonly #spec: VassalSpec;
  readonly #log: LogFile;
  readonly #lastLines = new LastLines();
  readonly #link: EmperorLink;
  readonly #gate: Gate;
  #phase: Phase = "loading";
  #loyal = false;

  constructor(spec: VassalSpec, createRuntime: CreateRuntime) {
    this.#spec = spec;
    this.#log = new LogFile(spec.logFile, { name: spec.name, generation: spec.generation });
    this.#link = new EmperorLink(spec, (message) => this.#obey(message));
    const host: RuntimeHost = {
      spec,
      logLine: (worker, stream, line) => this.#line(worker, stream, line),
      event: (event) => this.#event(event),
      lastLines: () => this.#lastLines.all(),
    };
    this.#gate = createGate(host, createRuntime(host), (line) => this.#log.line(0, "req", line));
  }

  /** Loads the application and says so; without an emperor it serves at once. */
  async start(): Promise<void> {
    this.#link.start();
    try {
      await this.#gate.start();
    } catch (error) {
      await this.#fail(messageOf(error));
      return;
    }
    if (this.#phase !== "loading") return;
    this.#phase = "ready";
    this.#link.fact({ type: "ready" });
    this.#beat();
    setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
    if (this.#spec.link === undefined) await this.#serve();
  }

  /** Stops accepting, finishes what is open, ends the process. A second call changes nothing. */
  async drain(timeoutMs: number): Promise<void> {
    if (this.#phase === "draining" || this.#phase === "ended") return;
    this.#phase = "draining";
    this.#line(0, "tsgi", `draining, at most ${timeoutMs} ms`);
    // A worker that will not end must not keep a drained generation alive.
    setTimeout(() => this.#exit(VASSAL_EXIT.drained), timeoutMs + STOP_MARGIN_MS).unref();
    await this.#gate.drain(timeoutMs, () => this.#link.fact({ type: "released" }));
    await this.#gate.stop();
    this.#link.fact({ type: "drained", counters: this.#gate.counters() });
    await this.#link.close();
    this.#exit(VASSAL_EXIT.drained);
  }

  /** An error nobody expected: one line, and the emperor starts a new generation. */
  crash(error: unknown): never {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    for (const line of text.split("\n")) this.#line(0, "err", line);
    this.#log.flush();
    process.exit(VASSAL_EXIT.failed);
  }

  #obey(message: ToVassal): void {
    switch (message.type) {
      case "serve":
        void this.#serve().catch((error: unknown) => this.crash(error));
        break;
      case "drain":
        void this.drain(message.timeoutMs).catch((error: unknown) => this.crash(error));
        break;
      case "stop":
        void this.#stopNow().catch((error: unknown) => this.crash(error));
        break;
      case "report":
        this.#beat();
        break;
    }
  }

  async #serve(): Promise<void> {
    if (this.#phase !== "ready") return;
    this.#phase = "serving";
    await this.#gate.serve();
    this.#link.fact({ type: "accepting" });
    this.#line(
      0,
      "tsgi",
      `serving ${this.#spec.listeners.map((each) => each.address.text).join(", ")}`,
    );
  }

  async #stopNow(): Promise<void> {
    if (this.#phase === "ended") return;
    this.#phase = "ended";
    setTimeout(() => this.#exit(VASSAL_EXIT.drained), STOP_MARGIN_MS).unref();
    await this.#gate.stop();
    await this.#link.close();
    this.#exit(VASSAL_EXIT.drained);
  }

  async #fail(reason: string): Promise<void> {
    this.#phase = "ended";
    this.#line(0, "tsgi", `cannot serve: ${reason}`);
    setTimeout(() => this.#exit(VASSAL_EXIT.failedApp), STOP_MARGIN_MS).unref();
    this.#link.fact({ type: "failed", reason, lines: this.#lastLines.all() });
    await this.#gate.stop();
    await this.#link.close();
    this.#exit(VASSAL_EXIT.failedApp);
  }

  #beat(): void {
    const counters: TrafficCounters = this.#gate.counters();
    if (!this.#loyal && this.#gate.answered() > 0) {
      this.#loyal = true;
      this.#link.fact({ type: "loyal" });
    }
    this.#link.heartbeat({
      type: "heartbeat",
      counters,
      workers: this.#gate.workers(),
      healthy: this.#gate.healthy(),
    });
  }

  #event(event: VassalEvent): void {
    this.#line(event.worker ?? 0, "tsgi", event.message);
    this.#link.event(event);
  }

  #line(worker: number, stream: LogStream, text: string): void {
    if (stream === "out" || stream === "err") this.#lastLines.push(text);
    this.#log.line(worker, stream, text);
  }

  #exit(code: number): void {
    this.#log.flush();
    process.exit(code);
  }
}
