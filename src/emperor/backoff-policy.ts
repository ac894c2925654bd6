/** How long a vassal waits after it died: at once the first time when it served, then exponential, jittered, capped. Pure. */

export const BACKOFF_BASE_MS = 1000;
export const BACKOFF_CAP_MS = 60_000;

export interface DeathFacts {
  /** Failures in a row before this one that were not forgotten. */
  readonly failures: number;
  /** Whether the generation that died had served traffic. */
  readonly served: boolean;
  /** In [0, 1). */
  readonly random: number;
}

export interface BackoffDecision {
  readonly failures: number;
  readonly delayMs: number;
}

/**
 * @example decideBackoff({ failures: 0, served: true, random: 0.5 }) => { failures: 1, delayMs: 0 }
 * @example decideBackoff({ failures: 3, served: false, random: 0.5 }) => { failures: 4, delayMs: 8000 }
 */
export function decideBackoff(facts: DeathFacts): BackoffDecision {
  const failures = facts.failures + 1;
  if (facts.failures === 0 && facts.served) return { failures, delayMs: 0 };
  // 2 ** 30 is far above the cap: more would only overflow.
  const plainMs = BACKOFF_BASE_MS * 2 ** Math.min(facts.failures, 30);
  // A quarter to each side, so that vassals that died together do not come back together.
  const jitter = 0.75 + facts.random / 2;
  return { failures, delayMs: Math.min(BACKOFF_CAP_MS, Math.round(plainMs * jitter)) };
}
