/** uWSGI's emperor statistics (keys, units and meanings as there: seconds, 0 and 1), with ours beside them. Pure. */
import type { EmperorSnapshot, VassalSnapshot } from "../stats/emperor-snapshot.ts";

/** What uWSGI shows and a snapshot does not. Wall-clock milliseconds, 0 = never. */
export interface VassalTimes {
  readonly firstSeenMs: number;
  readonly lastChangeMs: number;
  readonly lastHeartbeatMs: number;
  readonly lastLoyalMs: number;
  readonly lastReadyMs: number;
  readonly lastAcceptingMs: number;
  readonly lastSpawnMs: number;
  readonly stoppingSinceMs: number;
  readonly uid: number;
  readonly gid: number;
  readonly failures: number;
}

export function statsDocument(
  snapshot: EmperorSnapshot,
  facts: { readonly cwd: string; timesOf(name: string): VassalTimes },
): Readonly<Record<string, unknown>> {
  const { emperor, vassals } = snapshot;
  return {
    version: emperor.version,
    pid: emperor.pid,
    uid: emperor.uid,
    gid: emperor.gid,
    cwd: facts.cwd,
    emperor: emperor.vassalDirs,
    emperor_tyrant: 0,
    // There is no spawn throttle: boots are paced by a pool, never by a delay.
    throttle_level: 0,
    vassals: vassals.map((vassal) => vassalStats(vassal, facts.timesOf(vassal.name))),
    blacklist: vassals.flatMap((vassal) => blacklistEntry(vassal, facts.timesOf(vassal.name))),
    uptime_ms: emperor.uptimeMs,
    rss: emperor.rssBytes,
    refused: emperor.refused,
  };
}

function vassalStats(
  vassal: VassalSnapshot,
  times: VassalTimes,
): Readonly<Record<string, unknown>> {
  return {
    id: fileName(vassal.file),
    pid: vassal.pid === 0 ? -1 : vassal.pid,
    born: seconds(times.firstSeenMs),
    last_mod: seconds(times.lastChangeMs),
    last_heartbeat: seconds(times.lastHeartbeatMs),
    loyal: bit(vassal.loyal),
    ready: bit(vassal.ready),
    accepting: bit(vassal.serving),
    last_loyal: seconds(times.lastLoyalMs),
    last_ready: seconds(times.lastReadyMs),
    last_accepting: seconds(times.lastAcceptingMs),
    first_run: seconds(times.firstSeenMs),
    last_run: seconds(times.lastSpawnMs),
    cursed: seconds(times.stoppingSinceMs),
    zerg: 0,
    on_demand: "",
    uid: times.uid,
    gid: times.gid,
    monitor: vassal.file.slice(0, Math.max(0, vassal.file.lastIndexOf("/"))),
    respawns: vassal.restarts,
    name: vassal.name,
    state: vassal.state,
    generation: vassal.generation,
    serving: bit(vassal.serving),
    healthy: bit(vassal.healthy),
    listen: vassal.listen,
    release: vassal.release,
    reason: vassal.reason,
    rss: vassal.rssBytes,
    requests: vassal.counters.requestsServed,
  };
}

function blacklistEntry(
  vassal: VassalSnapshot,
  times: VassalTimes,
): readonly Readonly<Record<string, unknown>>[] {
  if (vassal.backoff === undefined) return [];
  return [
    {
      id: fileName(vassal.file),
      throttle_level: vassal.backoff.nextInMs,
      attempt: times.failures,
      first_attempt: seconds(times.firstSeenMs),
      last_attempt: seconds(times.lastSpawnMs),
      reason: vassal.reason,
    },
  ];
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function seconds(atMs: number): number {
  return Math.floor(atMs / 1000);
}

function bit(fact: boolean): 0 | 1 {
  return fact ? 1 : 0;
}
