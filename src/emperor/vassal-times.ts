/** Times and owners of a vassal for uWSGI's statistics. */
import type { VassalTimes } from "./stats-document.ts";
import type { VassalHandle } from "./vassal-handle.ts";

export function timesOf(
  vassal: VassalHandle | undefined,
  self: { readonly uid: number; readonly gid: number },
): VassalTimes {
  const handle = vassal?.generation(vassal.life.current?.number);
  return {
    firstSeenMs: vassal?.firstSeenMs ?? 0,
    lastChangeMs: vassal?.lastChangeMs ?? 0,
    lastHeartbeatMs: handle?.heartbeatAtMs ?? 0,
    lastLoyalMs: vassal?.lastLoyalMs ?? 0,
    lastReadyMs: vassal?.lastReadyMs ?? 0,
    lastAcceptingMs: vassal?.lastAcceptingMs ?? 0,
    lastSpawnMs: vassal?.lastSpawnMs ?? 0,
    stoppingSinceMs: vassal?.stoppingSinceMs ?? 0,
    uid: handle?.uid ?? self.uid,
    gid: handle?.gid ?? self.gid,
    failures: vassal?.life.backoff.failures ?? 0,
  };
}
