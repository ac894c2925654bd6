/** When a vassal has earned that its failures are forgotten. Pure. */

/** Long enough that "dies every 30 seconds" never counts as stable. */
export const STABLE_MS = 60_000;

/** Monotonic time at which the failures of a generation that serves since `servingMs` are forgotten; undefined = nothing to forget. */
export function forgivenAtMs(failures: number, servingMs: number): number | undefined {
  return failures === 0 ? undefined : servingMs + STABLE_MS;
}
