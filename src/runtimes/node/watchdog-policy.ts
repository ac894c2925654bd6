/** When a main thread that does not run its event loop has made a request late. */

/** Room for the timers of a running event loop, which deals with overdue requests by itself. */
export const SLACK_MS = 100;

export interface WatchdogReading {
  /** Last sign of a running event loop. */
  readonly beatMs: number;
  /** When the oldest request known at that beat is due; 0 = none. */
  readonly oldestDueMs: number;
  /** When the request whose handler is being called is due; 0 = none is. */
  readonly currentDueMs: number;
}

/** A request that began after the last beat and yielded since is found when the beat itself is a deadline old. */
export function isStuck(reading: WatchdogReading, deadlineMs: number, nowMs: number): boolean {
  const silentMs = nowMs - reading.beatMs;
  if (silentMs < Math.min(deadlineMs, 2000)) return false;
  const dueMs = [reading.currentDueMs, reading.oldestDueMs, reading.beatMs + deadlineMs].filter(
    (due) => due > 0,
  );
  return nowMs > Math.min(...dueMs) + SLACK_MS;
}
