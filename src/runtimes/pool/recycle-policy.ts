/** When a worker has done enough and is replaced, and how long a failing one waits before the next try. */

/** 0 = never (uWSGI max-requests, max-worker-lifetime, reload-on-rss). */
export interface RecycleLimits {
  readonly maxRequests: number;
  readonly maxLifetimeMs: number;
  readonly maxRssBytes: number;
}

export interface WorkerFacts {
  readonly requests: number;
  readonly ageMs: number;
  readonly rssBytes: number;
}

const JITTER = 0.1;
const STABLE_MS = 1000;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5000;

/**
 * The limits of one worker, each up to 10 % away from what was asked: workers of one age must not recycle together.
 * `random` is in [0, 1).
 */
export function jitterLimits(limits: RecycleLimits, random: () => number): RecycleLimits {
  const spread = (value: number): number =>
    value === 0 ? 0 : Math.max(1, Math.round(value * (1 + JITTER * (2 * random() - 1))));
  return {
    maxRequests: spread(limits.maxRequests),
    maxLifetimeMs: spread(limits.maxLifetimeMs),
    maxRssBytes: spread(limits.maxRssBytes),
  };
}

/** Why a worker has to be recycled, or undefined while it may go on. */
export function recycleReason(limits: RecycleLimits, facts: WorkerFacts): string | undefined {
  if (limits.maxRequests > 0 && facts.requests >= limits.maxRequests) {
    return `max-requests reached (${facts.requests} requests)`;
  }
  if (limits.maxLifetimeMs > 0 && facts.ageMs >= limits.maxLifetimeMs) {
    return `max-lifetime reached (${Math.round(facts.ageMs / 1000)} s)`;
  }
  if (limits.maxRssBytes > 0 && facts.rssBytes >= limits.maxRssBytes) {
    return `max-rss reached (${Math.round(facts.rssBytes / 1024 ** 2)} MiB)`;
  }
  return undefined;
}

/** True for a death that says something about the application: before ready, or right after it. */
export function isEarlyDeath(wasReady: boolean, servedMs: number): boolean {
  return !wasReady || servedMs < STABLE_MS;
}

/** Milliseconds before the next try after `earlyDeaths` of them in a row: 0, 100, 200, 400 … 5000. */
export function respawnDelayMs(earlyDeaths: number): number {
  if (earlyDeaths <= 1) return 0;
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(earlyDeaths - 2, 10));
}
