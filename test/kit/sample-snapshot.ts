/** A made-up snapshot for tests of what shows one; every field can be replaced. */
import { NO_TRAFFIC } from "../../src/ipc/link.ts";
import type { WorkerSnapshot } from "../../src/ipc/link.ts";
import type { EmperorSnapshot, VassalSnapshot } from "../../src/stats/emperor-snapshot.ts";

export function sampleVassal(changes: Partial<VassalSnapshot> = {}): VassalSnapshot {
  return {
    name: "blog",
    file: "/v/blog.yaml",
    kind: "python",
    state: "serving",
    generation: 3,
    pid: 1234,
    up: true,
    ready: true,
    healthy: true,
    serving: true,
    loyal: true,
    release: "/srv/blog/releases/42",
    directory: "/srv/blog/current",
    listen: ["http://127.0.0.1:8001"],
    tags: [],
    workers: [sampleWorker(1, "busy"), sampleWorker(2, "idle")],
    counters: { ...NO_TRAFFIC, requestsServed: 1234 },
    cpu: 0.25,
    rssBytes: 50 * 1024 * 1024,
    restarts: 0,
    reason: "",
    lastLines: [],
    warnings: [],
    logFile: "/var/lib/tsgi/logs/blog.log",
    draining: [],
    lastDeploy: null,
    ...changes,
  };
}

export function sampleWorker(id: number, state: WorkerSnapshot["state"]): WorkerSnapshot {
  return { id, pid: 2000 + id, state, requests: 1, rssBytes: 1, startedAtMs: 1, respawns: 0 };
}

export function sampleSnapshot(
  vassals: readonly VassalSnapshot[],
  emperor: Partial<EmperorSnapshot["emperor"]> = {},
): EmperorSnapshot {
  return {
    emperor: {
      pid: 1,
      version: "0.1.0",
      uptimeMs: 5000,
      startedAtMs: 1,
      rssBytes: 1000,
      uid: 0,
      gid: 0,
      vassalDirs: ["/v"],
      runtimeDir: "/r",
      stateDir: "/s",
      refused: [],
      warnings: [],
      ...emperor,
    },
    vassals,
  };
}
