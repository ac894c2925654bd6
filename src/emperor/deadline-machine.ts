/** What time does to a vassal: the cell of the table for deadlines, and when the next one is. Pure. */
import { formatDuration } from "../core/duration.ts";
import { failCandidate } from "./candidate-machine.ts";
import { andThen, begin, generationsOf, note, stay } from "./generation-machine.ts";
import { escalate, finishStopping, supersede } from "./leaving-machine.ts";
import { STABLE_MS, forgivenAtMs } from "./loyalty-policy.ts";
import { ACCEPT_TIMEOUT_MS } from "./report-machine.ts";
import { settleTakeOver, takeOverDueMs } from "./take-over-machine.ts";
import type { Step, StepContext, VassalEvent, VassalLife } from "./vassal-life.ts";
import { forgiven } from "./wish-machine.ts";

/** A candidate made from content that is no longer the newest gets this long before the newest takes its place. */
export const STALE_CANDIDATE_MS = 5000;

/** Monotonic time of the next `deadlineReached`; undefined = nothing to wait for. */
export function nextDeadlineMs(life: VassalLife): number | undefined {
  const times: number[] = [];
  for (const generation of generationsOf(life)) {
    if (generation.deadlineMs !== undefined) times.push(generation.deadlineMs);
  }
  const staleMs = staleAtMs(life);
  if (staleMs !== undefined) times.push(staleMs);
  const dueMs = takeOverDueMs(life);
  if (dueMs !== undefined) times.push(dueMs);
  if (life.phase === "throttled") times.push(life.backoff.untilMs);
  if (life.current !== undefined) {
    const forgiveMs = forgivenAtMs(life.backoff.failures, life.current.servingMs);
    if (forgiveMs !== undefined) times.push(forgiveMs);
  }
  return times.length === 0 ? undefined : Math.min(...times);
}

/** Everything that is due now, the oldest generations first. */
export function passTime(life: VassalLife, _event: VassalEvent, context: StepContext): Step {
  let now = stay(life);
  for (const old of life.leaving) {
    if (isDue(old.deadlineMs, context)) now = andThen(now, (next) => escalate(next, old, context));
  }
  now = andThen(now, (next) => passCandidateTime(next, context));
  now = andThen(now, (next) => passBackoffTime(next, context));
  now = andThen(now, (next) => settleTakeOver(next, context));
  return andThen(now, (next) => finishStopping(next, context));
}

function passCandidateTime(life: VassalLife, context: StepContext): Step {
  const { candidate, pending } = life;
  if (candidate === undefined) return stay(life);
  if (pending !== undefined && isDue(staleAtMs(life), context)) {
    const without: VassalLife = { ...life, candidate: undefined };
    const reason = "the file was changed again before this generation was ready";
    return andThen(supersede(without, candidate, reason, context), (next) =>
      begin(next, pending, context),
    );
  }
  if (!isDue(candidate.deadlineMs, context)) return stay(life);
  const patience = formatDuration(candidate.desired.config.readyTimeoutMs);
  const reason =
    candidate.step === "ready"
      ? `it did not accept connections within ${formatDuration(ACCEPT_TIMEOUT_MS)}`
      : `it was not ready within ${patience} (ready-timeout)`;
  return failCandidate(life, { reason, process: "alive" }, context);
}

function passBackoffTime(life: VassalLife, context: StepContext): Step {
  if (life.phase === "throttled") {
    return isDue(life.backoff.untilMs, context) ? begin(life, "crash", context) : stay(life);
  }
  const { current, backoff } = life;
  if (current === undefined || !isDue(forgivenAtMs(backoff.failures, current.servingMs), context)) {
    return stay(life);
  }
  const sentence = `vassal ${life.name} served ${formatDuration(STABLE_MS)} without a death: its failures are forgotten`;
  return note(forgiven(life), "stable", sentence, current);
}

/** When a candidate from outdated content makes way for the newest; undefined = it is the newest, or about to accept. */
function staleAtMs(life: VassalLife): number | undefined {
  const { candidate, pending, desired } = life;
  if (candidate?.step !== "starting" || pending === undefined) return undefined;
  if (desired === undefined || desired.hash === candidate.desired.hash) return undefined;
  return candidate.startedMs + STALE_CANDIDATE_MS;
}

function isDue(timeMs: number | undefined, context: StepContext): boolean {
  return timeMs !== undefined && timeMs <= context.nowMs;
}
