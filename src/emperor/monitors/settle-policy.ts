/** When a changed file counts: nobody writes it any more and it has rested, longer when it makes no sense yet. Pure. */

/** Rest of a file that nobody has open for writing. */
export const CLOSED_REST_MS = 12;
/** Rest of a file when nobody can say whether it is being written. */
export const UNKNOWN_REST_MS = 100;
/** Rest of a file that is not usable yet: the other half may still come. */
export const UNUSABLE_REST_MS = 1000;
/** Rest after which it counts although somebody keeps it open for writing. */
export const HELD_OPEN_REST_MS = 5000;
/** How long a file may be away and come back with the same content as if nothing had been. */
export const VANISH_REST_MS = 200;

export interface SettleFacts {
  /** Since it was first seen as it is. */
  readonly unchangedForMs: number;
  /** Since its own last change by the file's times; negative or absurd values (clock jumps) are harmless. */
  readonly quietForMs: number;
  /** Asked only when needed, because it costs system calls. */
  readonly openForWriting: () => boolean | undefined;
  readonly usable: boolean;
}

export interface SettleDecision {
  readonly counts: boolean;
  /** When to look again if it does not count yet. */
  readonly againInMs: number;
}

/**
 * @example a file renamed into place 20 ms ago, seen twice => { counts: true, againInMs: 0 }
 */
export function decideSettled(facts: SettleFacts): SettleDecision {
  const restedMs = Math.max(facts.unchangedForMs, facts.quietForMs);
  if (restedMs >= HELD_OPEN_REST_MS) return { counts: true, againInMs: 0 };
  const open = facts.openForWriting();
  // Looked at more seldom the longer it takes: a slow copy is not worth a busy loop.
  if (open === true)
    return { counts: false, againInMs: Math.min(250, 15 + facts.unchangedForMs / 4) };
  const closedRestMs = open === false ? CLOSED_REST_MS : UNKNOWN_REST_MS;
  const neededMs = facts.usable ? closedRestMs : UNUSABLE_REST_MS;
  if (restedMs >= neededMs) return { counts: true, againInMs: 0 };
  return { counts: false, againInMs: neededMs - restedMs };
}

/** Whether a file that is no longer in its folder counts as removed. */
export function decideVanished(missingForMs: number, distrustForMs: number): SettleDecision {
  const neededMs = Math.max(VANISH_REST_MS - missingForMs, distrustForMs);
  return neededMs <= 0 ? { counts: true, againInMs: 0 } : { counts: false, againInMs: neededMs };
}
