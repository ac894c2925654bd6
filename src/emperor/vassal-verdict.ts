/** What can be said about a vassal from its life: the state and reason for people, and the end of a `wait`. Pure. */
import { formatDuration } from "../core/duration.ts";
import type { VassalState } from "../stats/emperor-snapshot.ts";
import type { Phase, VassalLife } from "./vassal-life.ts";

const STATES = {
  stopped: "stopped",
  invalid: "invalid",
  starting: "starting",
  serving: "serving",
  deploying: "deploying",
  takingOver: "deploying",
  throttled: "backing-off",
  stopping: "stopping",
  gone: "stopped",
} as const satisfies Record<Phase, VassalState>;

export function stateOf(life: VassalLife): VassalState {
  return STATES[life.phase];
}

/** Why it is in this state, one sentence; "" when there is nothing to say. */
export function reasonOf(life: VassalLife, nowMs: number): string {
  const { phase, problem, current, candidate, lastFailure, backoff } = life;
  if (phase === "throttled") return backingOff(life, nowMs);
  if (phase === "stopped") return `stopped by command, until 'tsgi-emperor start ${life.name}'`;
  if (problem !== undefined) return `${problem.reason}${servesOn(life)}`;
  if (phase === "stopping") return STOPPING[life.after];
  if (candidate?.step === "queued") return "waits for its turn to boot";
  if (phase === "starting" && backoff.failures > 0) {
    return `try ${backoff.failures + 1}, because ${backoff.reason}`;
  }
  if (phase === "takingOver") return "the generation before it stops accepting";
  if (current !== undefined && lastFailure !== undefined) {
    const { generation, reason } = lastFailure;
    return `the deploy of generation ${generation} failed: ${reason}${servesOn(life)}; touch the file to try again`;
  }
  return "";
}

const STOPPING = {
  stop: "stops by command: it finishes what is open",
  remove: "its file was removed: it finishes what is open",
  restart: "restarts by command",
  shutdown: "the emperor shuts down",
} as const;

function backingOff(life: VassalLife, nowMs: number): string {
  const { failures, untilMs, reason } = life.backoff;
  const leftMs = Math.max(0, Math.ceil((untilMs - nowMs) / 1000) * 1000);
  return `backing off, try ${failures + 1}, next in ${formatDuration(leftMs)}, because ${reason}`;
}

function servesOn(life: VassalLife): string {
  return life.current === undefined ? "" : `; generation ${life.current.number} serves on`;
}

export interface Verdict {
  readonly ok: boolean;
  readonly message: string;
}

/** The result of the newest deploy, or undefined while it is open. */
export function verdictOf(life: VassalLife, nowMs: number): Verdict | undefined {
  switch (life.phase) {
    case "starting":
    case "deploying":
    case "takingOver":
    case "stopping":
      return undefined;
    case "serving":
      if (life.problem !== undefined || life.lastFailure !== undefined) {
        return { ok: false, message: reasonOf(life, nowMs) };
      }
      return { ok: true, message: `generation ${life.current?.number ?? 0} is live` };
    case "gone":
      return { ok: false, message: `vassal ${life.name} has been removed` };
    case "stopped":
    case "invalid":
    case "throttled":
      return { ok: false, message: reasonOf(life, nowMs) };
  }
}
