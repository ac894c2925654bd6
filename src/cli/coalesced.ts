/** Turns a storm of requests into few runs of the work: one at once, and at most one more for all that came since. */
import type { Timers } from "../core/clock.ts";

/** A trigger; runs never overlap and begin at least `gapMs` after the last one ended. Failures end the process. */
export function coalesced(gapMs: number, timers: Timers, work: () => Promise<void>): () => void {
  let phase: "idle" | "resting" | "asked" = "idle";
  const start = async (): Promise<void> => {
    phase = "resting";
    await work();
    timers.after(gapMs, () => {
      const again = phase === "asked";
      phase = "idle";
      if (again) void start();
    });
  };
  return () => {
    if (phase === "idle") void start();
    else phase = "asked";
  };
}
