/** When a monitor looks: one timer for all reasons, never two looks at once, and people who wait for a look. */
import type { MonitorDoors } from "./monitor.ts";

/** Events come in bursts: one look a moment later sees them all. */
const GATHER_MS = 3;

export interface LookScheduleDoors extends Pick<MonitorDoors, "clock" | "timers"> {
  /** One look; the result says in how many milliseconds the next one is due. */
  compare(): Promise<number>;
  /** Whether a change of this vassal (or of any) has been seen that does not count yet. */
  isOpen(name: string | undefined): boolean;
}

interface Waiter {
  readonly name: string | undefined;
  readonly resolve: () => void;
  /** A look has begun since it came. */
  ready: boolean;
}

export class LookSchedule {
  readonly #doors: LookScheduleDoors;
  #waiters: Waiter[] = [];
  #looking = false;
  #lookAgain = false;
  #cancelTimer: (() => void) | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  /** Longer after an expensive look, so that a busy folder cannot keep the loop busy. */
  #gatherMs = GATHER_MS;
  #closed = false;

  constructor(doors: LookScheduleDoors) {
    this.#doors = doors;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Something happened: look soon. */
  soon(): void {
    this.#schedule(this.#gatherMs);
  }

  /** Looks now; resolves when what was found about this vassal (or about all) has settled. */
  async until(name: string | undefined): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve) => {
      this.#waiters.push({ name, resolve, ready: false });
      this.#schedule(0);
    });
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer?.();
    for (const waiter of this.#waiters) waiter.resolve();
    this.#waiters = [];
  }

  async look(): Promise<void> {
    this.#cancelTimer?.();
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    this.#looking = true;
    this.#lookAgain = false;
    for (const waiter of this.#waiters) waiter.ready = true;
    const startMs = this.#doors.clock.nowMs();
    const againInMs = await this.#doors.compare();
    this.#gatherMs = Math.max(GATHER_MS, 4 * (this.#doors.clock.nowMs() - startMs));
    this.#looking = false;
    this.#releaseWaiters();
    this.#schedule(this.#lookAgain ? this.#gatherMs : Math.max(1, againInMs));
  }

  /** One timer for everything; an earlier wish wins. */
  #schedule(delayMs: number): void {
    if (this.#closed) return;
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    const atMs = this.#doors.clock.nowMs() + delayMs;
    if (atMs >= this.#timerAtMs) return;
    this.#cancelTimer?.();
    this.#timerAtMs = atMs;
    this.#cancelTimer = this.#doors.timers.after(delayMs, () => void this.look());
  }

  #releaseWaiters(): void {
    const done = this.#waiters.filter(({ ready, name }) => ready && !this.#doors.isOpen(name));
    this.#waiters = this.#waiters.filter((waiter) => !done.includes(waiter));
    for (const waiter of done) waiter.resolve();
  }
}
