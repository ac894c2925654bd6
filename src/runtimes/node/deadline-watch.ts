/** Deadlines of requests in a worker: overdue ones in a running event loop, and a watchdog for a blocked one. */
import { AsyncLocalStorage } from "node:async_hooks";
import { Worker } from "node:worker_threads";
import { DeadlineQueue } from "../deadline-queue.ts";
import { SYSTEM_CLOCK, SYSTEM_TIMERS } from "../pool/pool-options.ts";
import type { Dispatch, Flight, Flights, FlightWatch } from "./flights.ts";
import { silentDescriptor } from "./last-words.ts";
import { STUCK_FACTS, type StuckFact } from "./stuck-facts.ts";
import { monotonicMs, WatchdogMemory, type WatchdogData } from "./watchdog-memory.ts";

export interface DeadlineWatchOptions {
  readonly deadlineMs: number;
  readonly workerId: number;
  /** The file with the watchdog thread's code: the worker program itself. */
  readonly program: string;
  /** `flight` has run past its deadline while the event loop went on. */
  readonly onOverdue: (flight: Flight) => void;
}

export class DeadlineWatch implements FlightWatch {
  readonly #options: DeadlineWatchOptions;
  readonly #memory = new WatchdogMemory();
  readonly #current = new AsyncLocalStorage<Flight>();
  readonly #queue: DeadlineQueue<Flight>;
  readonly #beatMs: number;
  #beating: NodeJS.Timeout | undefined;
  #quietBeats = 0;
  #open = 0;
  #flights: Flights | undefined;

  constructor(options: DeadlineWatchOptions) {
    this.#options = options;
    this.#beatMs = Math.max(20, Math.min(500, Math.round(options.deadlineMs / 10)));
    this.#queue = new DeadlineQueue<Flight>({
      lengthMs: options.deadlineMs,
      clock: SYSTEM_CLOCK,
      timers: SYSTEM_TIMERS,
      expire: (flight) => options.onOverdue(flight),
    });
  }

  /** Starts the watchdog thread; it never keeps the process alive. */
  start(flights: Flights): void {
    this.#flights = flights;
    const { deadlineMs, workerId, program } = this.#options;
    const data: WatchdogData = {
      role: "tsgi-watchdog",
      memory: this.#memory.buffer,
      deadlineMs,
      workerId,
      program,
    };
    Object.defineProperty(process, STUCK_FACTS, { value: () => this.#facts() });
    // The application's flags are none of its business: they would load the application's preloads into it.
    const thread = new Worker(program, { workerData: data, execArgv: [], env: {} });
    thread.unref();
    thread.on("error", (error) => {
      const text = error instanceof Error ? error.stack : String(error);
      process.stderr.write(`tsgi: the watchdog thread ended: ${text}\n`);
    });
  }

  begin(flight: Flight): void {
    this.#open += 1;
    this.#queue.add(flight);
    if (this.#beating === undefined) this.#startBeating();
  }

  end(flight: Flight): void {
    this.#open -= 1;
    this.#queue.remove(flight);
  }

  /** Runs the handler so that whatever it does later is known to be of this request. */
  run(dispatch: Dispatch, flight: Flight): void {
    const dueMs = performance.timeOrigin + flight.dueAtMs;
    this.#memory.enter(dueMs, silentDescriptor(flight) ?? -1, flight.text);
    try {
      this.#current.run(flight, dispatch, flight.exchange, flight);
    } finally {
      this.#memory.leave();
    }
  }

  #startBeating(): void {
    this.#quietBeats = 0;
    this.#beat();
    this.#memory.active = true;
    this.#beating = setInterval(() => this.#beat(), this.#beatMs);
    this.#beating.unref();
  }

  #beat(): void {
    const oldest = this.#open > 0 ? this.#flights?.oldest() : undefined;
    const oldestDueMs = oldest === undefined ? 0 : performance.timeOrigin + oldest.dueAtMs;
    this.#memory.beat(monotonicMs(), oldestDueMs);
    this.#quietBeats = this.#open > 0 ? 0 : this.#quietBeats + 1;
    if (this.#quietBeats < 10) return;
    // Nothing under way for a while: no timer, no thread that wakes up.
    this.#memory.active = false;
    clearInterval(this.#beating);
    this.#beating = undefined;
  }

  /** Called by the watchdog through the debugger while this thread stands still. */
  #facts(): string {
    const current = this.#current.getStore();
    const nowMs = performance.now();
    const facts = (this.#flights?.all() ?? []).map((flight): StuckFact => ({
      fd: silentDescriptor(flight) ?? -1,
      text: flight.text,
      isCurrent: flight === current,
      isOverdue: flight.dueAtMs <= nowMs,
    }));
    return JSON.stringify(facts);
  }
}
