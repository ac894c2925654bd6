/** Deadlines of one common length: a first-in-first-out list with a single coarse timer, O(1) to join and to leave. */
import type { Clock, Timers } from "../core/clock.ts";

/** Extend it (or hold one per request): the links live in the item, so that nothing is allocated. */
export class DeadlineItem {
  dueAtMs = 0;
  later: DeadlineItem | undefined = undefined;
  earlier: DeadlineItem | undefined = undefined;
  /** True while it is in a queue. */
  waiting = false;
}

export interface DeadlineQueueOptions<T extends DeadlineItem> {
  /** 0 = no deadline: the queue stays empty. */
  readonly lengthMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  /** The item has left the queue when this is called. */
  readonly expire: (item: T) => void;
}

export class DeadlineQueue<T extends DeadlineItem> {
  readonly #options: DeadlineQueueOptions<T>;
  #first: DeadlineItem | undefined;
  #last: DeadlineItem | undefined;
  #armed = false;

  constructor(options: DeadlineQueueOptions<T>) {
    this.#options = options;
  }

  /** Starts the time of `item`; one that waits already starts anew. */
  add(item: T): void {
    if (this.#options.lengthMs === 0) return;
    this.remove(item);
    item.dueAtMs = this.#options.clock.nowMs() + this.#options.lengthMs;
    item.waiting = true;
    item.earlier = this.#last;
    if (this.#last === undefined) this.#first = item;
    else this.#last.later = item;
    this.#last = item;
    if (!this.#armed) this.#arm(this.#options.lengthMs);
  }

  remove(item: T): void {
    if (!item.waiting) return;
    item.waiting = false;
    if (item.earlier === undefined) this.#first = item.later;
    else item.earlier.later = item.later;
    if (item.later === undefined) this.#last = item.earlier;
    else item.later.earlier = item.earlier;
    item.earlier = undefined;
    item.later = undefined;
  }

  #arm(delayMs: number): void {
    this.#armed = true;
    this.#options.timers.after(Math.max(1, Math.ceil(delayMs)), () => this.#sweep());
  }

  #sweep(): void {
    this.#armed = false;
    const nowMs = this.#options.clock.nowMs();
    while (this.#first !== undefined && this.#first.dueAtMs <= nowMs) {
      // Only items of type T are ever added.
      const item = this.#first as T;
      this.remove(item);
      this.#options.expire(item);
    }
    if (this.#first !== undefined && !this.#armed) this.#arm(this.#first.dueAtMs - nowMs);
  }
}
