/** Asking an application whether it is well until it is; how long that may take is for the ready-timeout to say. */

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

/** Resolves at the first 2xx or 3xx, or when `ask` has nobody to ask any more (undefined). */
export async function probeUntilWell(
  ask: () => Promise<string | undefined>,
  unwell: (answer: string) => void,
): Promise<void> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const answer = await ask();
    if (answer === undefined || isWell(answer)) return;
    unwell(answer);
    await new Promise((resolve) => {
      setTimeout(resolve, pauseMs);
    });
  }
}

/** Whether a probe's answer is a 2xx or 3xx. */
export function isWell(answer: string): boolean {
  return /^[23]\d\d$/.test(answer);
}
