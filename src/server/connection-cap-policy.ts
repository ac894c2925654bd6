/** How many connections may be open: what the operator allows, less what the descriptor limit leaves. */

/** Descriptors for the runtime itself, pipes and channels of workers, and files being served. */
const RESERVE_MIN = 40;
const RESERVE_MAX = 1024;

/** At least one connection, whatever the limits say. */
export function connectionCap(configured: number, openFilesLimit: number): number {
  const reserve = Math.min(RESERVE_MAX, Math.max(RESERVE_MIN, Math.ceil(openFilesLimit / 8)));
  return Math.max(1, Math.min(configured, openFilesLimit - reserve));
}
