/** How many vassals boot at the same time: a pool of places, never a delay. Pure. */

/** Places are counted for each lane, so that boots never hold up a deploy or a person. */
export type Lane = "urgent" | "boot";

/** A boot that is neither ready nor failed by then stops counting: one that hangs must not hold up the others. */
export const PLACE_MAX_MS = 4000;

export interface Place {
  readonly key: string;
  readonly lane: Lane;
  readonly sinceMs: number;
}

export interface SpawnPool {
  readonly size: number;
  readonly waiting: readonly Place[];
  readonly taken: readonly Place[];
}

/** @param size boots at the same time: more than twice the cores buys nothing (measured: 200 boots on 2 cores, 4 to 16 places) */
export function newSpawnPool(size: number): SpawnPool {
  return { size: Math.max(1, size), waiting: [], taken: [] };
}

export function askPlace(pool: SpawnPool, key: string, lane: Lane, nowMs: number): SpawnPool {
  const rest = withoutKey(pool, key);
  return { ...rest, waiting: [...rest.waiting, { key, lane, sinceMs: nowMs }] };
}

/** Gives a place back, or leaves the queue. */
export function withoutKey(pool: SpawnPool, key: string): SpawnPool {
  if (
    !pool.waiting.some((place) => place.key === key) &&
    !pool.taken.some((place) => place.key === key)
  ) {
    return pool;
  }
  return {
    ...pool,
    waiting: pool.waiting.filter((place) => place.key !== key),
    taken: pool.taken.filter((place) => place.key !== key),
  };
}

export interface Grants {
  readonly pool: SpawnPool;
  readonly granted: readonly string[];
  /** When a place expires although nothing happens; undefined = nobody waits. */
  readonly againAtMs: number | undefined;
}

/** Fills free places in the order of asking, the urgent lane first. */
export function grantPlaces(pool: SpawnPool, nowMs: number): Grants {
  const taken = pool.taken.filter((place) => place.sinceMs + PLACE_MAX_MS > nowMs);
  const granted: Place[] = [];
  for (const lane of ["urgent", "boot"] as const) {
    const used = taken.filter((place) => place.lane === lane).length;
    const free = Math.max(0, pool.size - used);
    granted.push(...pool.waiting.filter((place) => place.lane === lane).slice(0, free));
  }
  const keys = new Set(granted.map((place) => place.key));
  const nowTaken = [...taken, ...granted.map((place) => ({ ...place, sinceMs: nowMs }))];
  const waiting = pool.waiting.filter((place) => !keys.has(place.key));
  return {
    pool: { ...pool, waiting, taken: nowTaken },
    granted: [...keys],
    againAtMs:
      waiting.length === 0
        ? undefined
        : Math.min(...nowTaken.map((place) => place.sinceMs + PLACE_MAX_MS)),
  };
}
