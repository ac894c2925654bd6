/** Asks all vassals how they are, now; however many people want to know, one round runs and one waits. */
import type { Timers } from "../core/clock.ts";

/** A vassal that is busy or stopped must not hold up "status". */
const PATIENCE_MS = 150;

export class FreshReports {
  readonly #timers: Timers;
  readonly #ask: () => readonly Promise<void>[];
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** `ask` sends one question to each vassal that can be asked; each promise is an answer. */
  constructor(timers: Timers, ask: () => readonly Promise<void>[]) {
    this.#timers = timers;
    this.#ask = ask;
  }

  /** Resolves when all have answered a question that was asked after this call, at the latest after two rounds of 150 ms. */
  refresh(): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#round();
      return this.#running;
    }
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      this.#running = this.#round();
      return this.#running;
    });
    return this.#next;
  }

  async #round(): Promise<void> {
    const patience = Promise.withResolvers<void>();
    const cancel = this.#timers.after(PATIENCE_MS, patience.resolve);
    await Promise.race([Promise.all(this.#ask()), patience.promise]);
    cancel();
    this.#running = undefined;
  }
}
