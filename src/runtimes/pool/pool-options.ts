/** The pool of a vassal as its configuration describes it, on the real clock. */
import type { Clock, Timers } from "../../core/clock.ts";
import { monotonicMs } from "../monotonic.ts";
import type { RuntimeHost } from "../runtime.ts";
import type { PoolOptions } from "./pool.ts";
import { readPrivateBytes } from "./worker-memory.ts";
import type { WorkerSource } from "./worker-source.ts";

const LONGEST_TIMER_MS = 2 ** 31 - 1;
const TERM_TIMEOUT_MS = 3000;

export const SYSTEM_CLOCK: Clock = {
  nowMs: monotonicMs,
  wallMs: () => Date.now(),
};

/** Timers that keep no process alive; a longer delay than the platform knows is made of several. */
export const SYSTEM_TIMERS: Timers = {
  after(delayMs, callback) {
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number): void => {
      const partMs = Math.min(leftMs, LONGEST_TIMER_MS);
      timer = setTimeout(() => (leftMs > partMs ? arm(leftMs - partMs) : callback()), partMs);
      timer.unref();
    };
    arm(delayMs);
    return () => clearTimeout(timer);
  },
};

/** What `new WorkerPool(…)` needs for the vassal of `host`. */
export function poolOptions(host: RuntimeHost, source: WorkerSource): PoolOptions {
  const { config } = host.spec;
  return {
    source,
    workers: config.workers.max,
    limits: config,
    readyTimeoutMs: config.readyTimeoutMs,
    drainTimeoutMs: config.drainTimeoutMs,
    termTimeoutMs: TERM_TIMEOUT_MS,
    clock: SYSTEM_CLOCK,
    timers: SYSTEM_TIMERS,
    random: Math.random,
    memoryBytes: readPrivateBytes,
    event: (event) => host.event(event),
  };
}
