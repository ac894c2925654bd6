/**
 * One worker process: an application, a front of its own on the inherited sockets, and the vassal process to answer to.
 *
 *   loading ──▶ ready ──serve──▶ serving ──drain──▶ draining ──▶ drained ──▶ exit 0
 *      └─ failed (exit 1)           └── crash: exit 1
 */
import { setTimeout as pause } from "node:timers/promises";
import { Front } from "../../server/front.ts";
import type { Exchange } from "../../server/exchange.ts";
import { NO_TRAFFIC } from "../../ipc/link.ts";
import { noticeLeaving } from "./client-leaves.ts";
import { Channel, sendNow } from "./channel.ts";
import { DeadlineWatch } from "./deadline-watch.ts";
import { Flights, type Dispatch } from "./flights.ts";
import { silentDescriptor, speak } from "./last-words.ts";
import { LineWriter } from "./line-writer.ts";
import { probe } from "../../server/probe.ts";
import { HeldSignals } from "./signals.ts";
import { Stragglers } from "./stragglers.ts";
import { errorText, reportError } from "./error-text.ts";
import { REPORT_MS, type ToWorker, type WorkerReport } from "./worker-messages.ts";
import { REQUEST_LOG_FD, type WorkerSettings } from "./worker-settings.ts";

type Phase = "loading" | "ready" | "serving" | "draining" | "drained" | "ended";

/** How long requests whose response has begun may go on after a crash. */
const CRASH_GRACE_MS = 2000;
/** How long the application's own SIGTERM handlers may take to end the process. */
const GOODBYE_MS = 2500;

export class NodeWorker {
  readonly #settings: WorkerSettings;
  readonly #channel: Channel;
  readonly #signals: HeldSignals;
  readonly #watch: DeadlineWatch | undefined;
  readonly #flights: Flights;
  readonly #stragglers = new Stragglers();
  #dispatch: Dispatch | undefined;
  #front: Front | undefined;
  #log: LineWriter | undefined;
  #phase: Phase = "loading";
  #reporting = false;
  #drain: Promise<void> | undefined;
  /** Tells a program's own server that its connections are gone. */
  onDrained: (() => void) | undefined;

  constructor(settings: WorkerSettings) {
    this.#settings = settings;
    this.#channel = new Channel(
      (message) => this.#obey(message),
      () => this.#orphaned(),
    );
    // Until it is ready, a program that has nothing left to do ends, and that is a fact worth knowing.
    this.#channel.unref();
    this.#signals = new HeldSignals(() => void this.#leaveAfterDrain());
    this.#watch = this.#createWatch();
    this.#flights = new Flights(this.#watch);
    process.on("uncaughtException", (error) => {
      // An application with a handler of its own decides for itself, as in Node.
      if (process.listenerCount("uncaughtException") === 1) this.crash(error);
    });
    process.on("exit", (code) => this.#exiting(code));
  }

  get isLoading(): boolean {
    return this.#phase === "loading";
  }

  get stragglers(): Stragglers {
    return this.#stragglers;
  }

  /** The application is known; a second call replaces it (a program that exports an application and then listens). */
  ready(shape: string, dispatch: Dispatch): void {
    this.#dispatch = dispatch;
    if (this.#phase !== "loading") return;
    this.#phase = "ready";
    this.#watch?.start(this.#flights);
    this.#channel.ref();
    this.#channel.send({ type: "ready", shape });
  }

  /** The application cannot serve. Its own words come first, on stderr. */
  fail(reason: string, stack = ""): never {
    this.#phase = "ended";
    sendNow({ type: "failed", reason, stack });
    process.exit(1);
  }

  /** Something threw and nobody caught it: this worker ends, and nobody is left without an answer. */
  crash(error: unknown): void {
    reportError(error);
    const reason = errorText(error).split("\n")[0] ?? "";
    if (this.#phase === "loading") this.fail(reason, errorText(error));
    if (this.#phase === "ended") return;
    this.#phase = "ended";
    sendNow({ type: "failed", reason, stack: errorText(error) });
    this.#flights.failPending(502, "the worker crashed");
    void this.#finishBriefly();
  }

  /** The program closed its own server: this worker takes no more connections, and is replaced when it has ended. */
  closedByApp(): void {
    if (this.#phase === "serving") {
      this.#channel.send({ type: "note", text: "the application closed its server: draining" });
      void this.#leaveAfterDrain();
    }
  }

  /** Responses that have begun may go on for a moment; answers just written are in the kernel by the next turn. */
  async #finishBriefly(): Promise<void> {
    this.#front?.drain(CRASH_GRACE_MS, () => undefined).catch(reportError);
    const endAtMs = performance.now() + CRASH_GRACE_MS;
    do await pause(10);
    while (this.#flights.size > 0 && performance.now() < endAtMs);
    process.exit(1);
  }

  #obey(message: ToWorker): void {
    switch (message.type) {
      case "serve":
        void this.#serve().catch((error: unknown) => this.crash(error));
        break;
      case "probe":
        probe(
          message.path,
          (exchange) => this.#handle(exchange),
          (answer) => this.#channel.send({ type: "probed", answer }),
        );
        break;
      case "drain":
        if (message.exit) void this.#leaveAfterDrain();
        else void this.#beginDrain(message.timeoutMs);
        break;
    }
  }

  async #serve(): Promise<void> {
    if (this.#phase !== "ready") return;
    this.#phase = "serving";
    const { limits, listeners, requestLog } = this.#settings;
    const log = requestLog === "none" ? undefined : new LineWriter(REQUEST_LOG_FD);
    this.#log = log;
    this.#front = new Front({
      fds: listeners,
      limits,
      handler: (exchange) => this.#handle(exchange),
      requestLog,
      writeLog: (line) => log?.line(line),
      onFault: (message) => this.#channel.send({ type: "note", text: message }),
    });
    await this.#front.serve();
    this.#channel.send({ type: "accepting" });
  }

  #handle(exchange: Exchange): void {
    const dispatch = this.#dispatch;
    if (dispatch === undefined)
      throw new Error("Cannot handle a request: no application is loaded");
    const flight = this.#flights.begin(exchange);
    noticeLeaving(exchange.socket, this.#flights);
    if (!this.#reporting) this.#reportSoon();
    if (this.#watch === undefined) dispatch(exchange, flight);
    else this.#watch.run(dispatch, flight);
  }

  #reportSoon(): void {
    this.#reporting = true;
    setTimeout(() => {
      this.#reporting = false;
      this.#channel.send({ type: "report", report: this.#report() });
      if (this.#flights.size > 0) this.#reportSoon();
    }, REPORT_MS).unref();
  }

  #report(): WorkerReport {
    return {
      requests: this.#flights.begun,
      inFlight: this.#flights.size,
      counters: this.#front?.counters() ?? NO_TRAFFIC,
    };
  }

  #beginDrain(timeoutMs: number): Promise<void> {
    this.#drain ??= this.#performDrain(timeoutMs);
    return this.#drain;
  }

  async #performDrain(timeoutMs: number): Promise<void> {
    const startedAtMs = performance.now();
    if (this.#phase !== "ended") this.#phase = "draining";
    const released = (): void => this.#channel.send({ type: "released" });
    if (this.#front === undefined) released();
    else await this.#front.drain(timeoutMs, released);
    await this.#stragglers.settled(timeoutMs - (performance.now() - startedAtMs));
    if (this.#phase === "draining") this.#phase = "drained";
    this.#channel.send({ type: "drained", report: this.#report() });
    this.onDrained?.();
  }

  async #leaveAfterDrain(): Promise<void> {
    await this.#beginDrain(this.#settings.drainTimeoutMs);
    if (this.#phase === "ended") return;
    this.#phase = "ended";
    this.#channel.unref();
    if (!this.#signals.release()) process.exit(0);
    // Handlers of the application close databases and so on, and mostly end the process themselves.
    setTimeout(() => process.exit(0), GOODBYE_MS);
  }

  /** The vassal process is gone: nobody will replace or stop this worker. */
  #orphaned(): void {
    if (this.#phase === "loading" || this.#phase === "ready") process.exit(0);
    void this.#leaveAfterDrain();
  }

  /** `process.exit()` of the application, or our own. Only synchronous work is possible. */
  #exiting(code: number): void {
    if (this.#phase === "loading") {
      const text = `the program ended with exit code ${code} before it could serve`;
      sendNow({ type: "failed", reason: text, stack: "" });
      return;
    }
    this.#log?.flush();
    sendNow({ type: "report", report: this.#report() });
    const pending = this.#flights.all().map(silentDescriptor);
    for (const fd of pending) if (fd !== undefined) speak(fd, 502);
    if (pending.length > 0 && this.#phase !== "ended") {
      sendNow({ type: "note", text: `the application ended the process (exit code ${code})` });
    }
  }

  #createWatch(): DeadlineWatch | undefined {
    const { deadlineMs, id, program } = this.#settings;
    if (deadlineMs === 0) return undefined;
    return new DeadlineWatch({
      deadlineMs,
      workerId: id,
      program,
      onOverdue: (flight) => {
        const text = `${flight.text}: past the deadline of ${deadlineMs} ms`;
        this.#channel.send({ type: "overdue", text });
        if (!flight.exchange.done) flight.exchange.fail(504, `the deadline of ${deadlineMs} ms`);
      },
    });
  }
}
