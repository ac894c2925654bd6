/** One vassal as `status --json` shows it, from its handle. */
import { realpathSync } from "node:fs";
import { NO_TRAFFIC } from "../ipc/link.ts";
import type { DeployReceipt, VassalSnapshot } from "../stats/emperor-snapshot.ts";
import type { Generation } from "./vassal-life.ts";
import type { GenerationHandle, VassalHandle } from "./vassal-handle.ts";
import { reasonOf, stateOf } from "./vassal-verdict.ts";

export interface UsageFigures {
  readonly cpu: number;
  readonly rssBytes: number;
}

export function snapshotVassal(
  vassal: VassalHandle,
  facts: {
    readonly nowMs: number;
    readonly defaultLogFile: string;
    usageOf(pid: number): UsageFigures | undefined;
  },
): VassalSnapshot {
  const { life } = vassal;
  const shown = life.current ?? life.candidate;
  const handle = vassal.generation(shown?.number);
  const config = shown?.desired.config ?? life.desired?.config;
  const usage = facts.usageOf(shown?.pid ?? 0);
  const workersRss = (handle?.workers ?? []).reduce((sum, worker) => sum + worker.rssBytes, 0);
  const warning = releaseWarning(handle);
  return {
    name: life.name,
    file: vassal.file,
    kind: config?.app.kind ?? "unknown",
    state: stateOf(life),
    generation: shown?.number ?? 0,
    pid: shown?.pid ?? 0,
    up: (shown?.pid ?? 0) > 0,
    ready: shown?.step === "ready" || shown?.step === "serving",
    healthy: isHealthy(shown, handle),
    serving: life.current !== undefined,
    loyal: life.current?.loyal ?? false,
    release: handle?.release ?? "",
    directory: handle?.directory ?? config?.directory ?? "",
    ...(warning !== undefined && { releaseWarning: warning }),
    listen: (config?.listen ?? []).map(({ text }) => text),
    tags: config?.tags ?? [],
    workers: handle?.workers ?? [],
    counters: handle?.counters ?? NO_TRAFFIC,
    cpu: usage?.cpu ?? 0,
    rssBytes: (usage?.rssBytes ?? 0) + workersRss,
    restarts: life.restarts,
    reason: reasonOf(life, facts.nowMs),
    ...(life.phase === "throttled" && {
      backoff: {
        attempt: life.backoff.failures + 1,
        nextInMs: Math.max(0, Math.round(life.backoff.untilMs - facts.nowMs)),
      },
    }),
    lastLines: vassal.lastLines,
    warnings: vassal.warnings,
    logFile: handle?.logFile ?? config?.log ?? facts.defaultLogFile,
    draining: life.leaving
      .filter(({ exited }) => !exited)
      .map(({ number, pid }) => ({ generation: number, pid })),
    lastDeploy: deployUnderWay(vassal) ?? vassal.lastReceipt,
  };
}

/** Ready counts as healthy until the first heartbeat says otherwise. */
function isHealthy(shown: Generation | undefined, handle: GenerationHandle | undefined): boolean {
  if (shown?.step !== "ready" && shown?.step !== "serving") return false;
  return handle === undefined || handle.heartbeatAtMs === 0 || handle.healthy;
}

function releaseWarning(handle: GenerationHandle | undefined): string | undefined {
  if (handle === undefined || handle.release === "") return undefined;
  try {
    const now = realpathSync(handle.directory);
    if (now === handle.release) return undefined;
    return `running release ${handle.release}, "${handle.directory}" points at ${now}`;
  } catch {
    return `running release ${handle.release}, "${handle.directory}" is gone`;
  }
}

/** The receipt of a deploy before its outcome is known. */
function deployUnderWay(vassal: VassalHandle): DeployReceipt | undefined {
  const { phase, current } = vassal.life;
  const candidate = vassal.life.candidate ?? (phase === "takingOver" ? current : undefined);
  if (candidate === undefined) return undefined;
  return {
    vassal: vassal.name,
    generation: candidate.number,
    previousGeneration: candidate.previous,
    trigger: candidate.trigger,
    configHash: candidate.desired.hash,
    release: vassal.generation(candidate.number)?.release ?? "",
    outcome: "pending",
    reason: "",
    lastLines: [],
    steps: { ...candidate.stamps, oldGoneAtMs: 0 },
    oldCounters: NO_TRAFFIC,
    connectionsReset: 0,
    requestsFailed: 0,
  };
}
