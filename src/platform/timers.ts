/** The system's clock and timers behind the `core/clock.ts` ports. */
import type { Clock, Timers } from "../core/clock.ts";

/** setTimeout turns longer delays into 1 ms. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
};

export const systemTimers: Timers = { after };

/** Calls back once after `delayMs`, however long that is; the result cancels it. */
export function after(delayMs: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (leftMs: number): void => {
    const stepMs = Math.min(Math.max(0, leftMs), LONGEST_DELAY_MS);
    timer = setTimeout(() => {
      if (leftMs > stepMs) arm(leftMs - stepMs);
      else callback();
    }, stepMs);
  };
  arm(delayMs);
  return () => {
    clearTimeout(timer);
  };
}
