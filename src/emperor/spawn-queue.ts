/** The living spawn pool: asks the policy, grants places, and looks again when a place expires. */
import type { Clock, Timers } from "../core/clock.ts";
import { askPlace, grantPlaces, newSpawnPool, withoutKey } from "./spawn-pool-policy.ts";
import type { Lane, SpawnPool } from "./spawn-pool-policy.ts";

export class SpawnQueue {
  #pool: SpawnPool;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #grant: (name: string, generation: number) => void;
  #cancelTimer: (() => void) | undefined;

  constructor(
    size: number,
    doors: {
      readonly clock: Clock;
      readonly timers: Timers;
      grant(name: string, generation: number): void;
    },
  ) {
    this.#pool = newSpawnPool(size);
    this.#clock = doors.clock;
    this.#timers = doors.timers;
    this.#grant = (name, generation) => doors.grant(name, generation);
  }

  ask(name: string, generation: number, lane: Lane): void {
    this.#pool = askPlace(this.#pool, `${generation} ${name}`, lane, this.#clock.nowMs());
    this.#fill();
  }

  release(name: string, generation: number): void {
    this.#pool = withoutKey(this.#pool, `${generation} ${name}`);
    this.#fill();
  }

  close(): void {
    this.#cancelTimer?.();
  }

  #fill(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const nowMs = this.#clock.nowMs();
    const { pool, granted, againAtMs } = grantPlaces(this.#pool, nowMs);
    this.#pool = pool;
    if (againAtMs !== undefined) {
      this.#cancelTimer = this.#timers.after(Math.max(1, againAtMs - nowMs), () => this.#fill());
    }
    for (const key of granted) {
      const cut = key.indexOf(" ");
      this.#grant(key.slice(cut + 1), Number(key.slice(0, cut)));
    }
  }
}
