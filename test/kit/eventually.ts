/** Waiting for a fact that nothing announces; bounded by the test's own timeout, never judged by it. */
import { setTimeout as pause } from "node:timers/promises";

const LOOK_EVERY_MS = 10;
const GIVE_UP_MS = 45_000;

/** Resolves with the first value that is neither undefined nor false; rejects with `what` after GIVE_UP_MS. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const end = performance.now() + GIVE_UP_MS;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`Never happened: ${what}`);
    await pause(LOOK_EVERY_MS);
  }
}
