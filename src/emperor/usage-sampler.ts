/** CPU and memory of vassal processes, sampled only while somebody looks at the status. */
import type { Clock, Timers } from "../core/clock.ts";
import type { Usage } from "./ports.ts";
import type { UsageFigures } from "./vassal-snapshot.ts";

const SAMPLE_EVERY_MS = 3000;
/** Sampling goes on for this long after the last look, so that shares of CPU have a beginning and an end. */
const INTEREST_MS = 30_000;

export class UsageSampler {
  readonly #doors: {
    readonly clock: Clock;
    readonly timers: Timers;
    readonly usage: Usage;
    pids(): readonly number[];
  };
  #figures: ReadonlyMap<number, UsageFigures> = new Map();
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #sampling = false;
  #cancelTimer: (() => void) | undefined;
  #closed = false;

  constructor(doors: {
    readonly clock: Clock;
    readonly timers: Timers;
    readonly usage: Usage;
    pids(): readonly number[];
  }) {
    this.#doors = doors;
  }

  /** The newest figures; asking for them keeps them fresh. */
  figures(): ReadonlyMap<number, UsageFigures> {
    this.#lookedAtMs = this.#doors.clock.nowMs();
    if (!this.#sampling && this.#cancelTimer === undefined) void this.#sample();
    return this.#figures;
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer?.();
  }

  async #sample(): Promise<void> {
    this.#sampling = true;
    try {
      this.#figures = await this.#doors.usage.sample(this.#doors.pids());
    } catch {
      // Without /proc there are no figures; everything else works.
      this.#figures = new Map();
    }
    this.#sampling = false;
    this.#cancelTimer = undefined;
    const isWanted = this.#doors.clock.nowMs() - this.#lookedAtMs < INTEREST_MS;
    if (isWanted && !this.#closed) {
      this.#cancelTimer = this.#doors.timers.after(SAMPLE_EVERY_MS, () => void this.#sample());
    }
  }
}
