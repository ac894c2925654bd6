/** What is heard of one generation: the cells of the table for its process and its channel. Pure. */
import { formatDuration } from "../core/duration.ts";
import { failCandidate } from "./candidate-machine.ts";
import { andThen, begin, note, stay, throttle, breakOff } from "./generation-machine.ts";
import { SHORT_PATIENCE_MS, TERM_PATIENCE_MS, bury, drain, end } from "./leaving-machine.ts";
import { promote, release } from "./take-over-machine.ts";
import type { Generation, Of, Step, StepContext, VassalLife } from "./vassal-life.ts";

/** From "serve" to "accepting". */
export const ACCEPT_TIMEOUT_MS = 10_000;

export function spawnCandidate(
  life: VassalLife,
  event: Of<"slotGranted">,
  context: StepContext,
): Step {
  const { candidate } = life;
  if (candidate?.number !== event.generation || candidate.step !== "queued") {
    return { life, commands: [{ type: "releaseSlot", generation: event.generation }] };
  }
  const starting: Generation = { ...candidate, step: "starting", startedMs: context.nowMs };
  return {
    life: { ...life, candidate: starting },
    commands: [{ type: "spawn", generation: starting }],
  };
}

export function noteSpawned(life: VassalLife, event: Of<"spawned">, context: StepContext): Step {
  const { candidate } = life;
  const { pid } = event;
  if (candidate?.number === event.generation) {
    const spawned: Generation = {
      ...candidate,
      pid,
      deadlineMs: context.nowMs + candidate.desired.config.readyTimeoutMs,
      stamps: { ...candidate.stamps, spawnedAtMs: context.wallMs },
    };
    const sentence = `vassal ${life.name} has been spawned: generation ${spawned.number}, pid ${pid} (${spawned.trigger})`;
    return note({ ...life, candidate: spawned }, "spawned", sentence, spawned);
  }
  // It was given up while its process was being made.
  const unborn = life.leaving.find((one) => one.number === event.generation && one.pid === 0);
  if (unborn === undefined) return stay(life);
  const leaving = life.leaving.filter((one) => one !== unborn);
  return end({ ...life, leaving }, { ...unborn, pid }, context, TERM_PATIENCE_MS);
}

export function noteSpawnFailed(
  life: VassalLife,
  event: Of<"spawnFailed">,
  context: StepContext,
): Step {
  if (life.candidate?.number === event.generation) {
    return failCandidate(life, { reason: event.reason, process: "none" }, context);
  }
  const unborn = life.leaving.find((one) => one.number === event.generation && one.pid === 0);
  return unborn === undefined ? stay(life) : bury(life, unborn, context);
}

export function tellServe(
  life: VassalLife,
  event: Of<"readyReported">,
  context: StepContext,
): Step {
  const { candidate } = life;
  if (candidate?.number !== event.generation || candidate.step !== "starting") return stay(life);
  const ready: Generation = {
    ...candidate,
    step: "ready",
    deadlineMs: context.nowMs + ACCEPT_TIMEOUT_MS,
    stamps: { ...candidate.stamps, readyAtMs: context.wallMs },
  };
  return {
    life: { ...life, candidate: ready },
    commands: [
      { type: "releaseSlot", generation: ready.number },
      { type: "tellServe", generation: ready.number },
    ],
  };
}

export function takeOver(
  life: VassalLife,
  event: Of<"acceptingReported">,
  context: StepContext,
): Step {
  const { candidate } = life;
  if (candidate?.number !== event.generation || candidate.step !== "ready") return stay(life);
  return promote(life, context);
}

export function noteLoyal(life: VassalLife, event: Of<"loyalReported">): Step {
  const { current } = life;
  if (current?.number !== event.generation || current.loyal) return stay(life);
  const loyal = { ...current, loyal: true };
  return note({ ...life, current: loyal }, "loyal", `vassal ${life.name} is now loyal`, loyal);
}

export function noteFailed(
  life: VassalLife,
  event: Of<"failedReported"> | Of<"linkBroken">,
  context: StepContext,
): Step {
  if (life.candidate?.number !== event.generation) return stay(life);
  return failCandidate(life, { reason: event.reason, process: "alive" }, context);
}

/** Also unasked: a generation that stops accepting by itself (somebody sent it SIGTERM) is replaced while it finishes. */
export function noteReleased(
  life: VassalLife,
  event: Of<"releasedReported">,
  context: StepContext,
): Step {
  const { current } = life;
  if (current?.number === event.generation) {
    const reason = `generation ${current.number} stopped accepting by itself`;
    const told: Step = { life, commands: breakOff(life, "failed", reason) };
    const left = andThen(told, (next) =>
      drain({ ...next, current: undefined }, { ...current, released: true }, context),
    );
    return andThen(left, (next) => replaceLost(next, { served: true, reason }, context));
  }
  const old = life.leaving.find((one) => one.number === event.generation && !one.released);
  return old === undefined ? stay(life) : release(life, old, context);
}

export function noteExited(life: VassalLife, event: Of<"exited">, context: StepContext): Step {
  const { candidate, current } = life;
  if (candidate?.number === event.generation) {
    const when = candidate.step === "ready" ? "before it accepted" : "before it was ready";
    return failCandidate(life, { reason: `it ${event.how} ${when}`, process: "exited" }, context);
  }
  if (current?.number === event.generation) return mournCurrent(life, current, event.how, context);
  const old = life.leaving.find((one) => one.number === event.generation);
  if (old === undefined || old.exited) return stay(life);
  if (life.phase !== "takingOver" || old.released) return bury(life, old, context);
  // The dead accept nothing; the receipt is written before its end is added to it.
  return andThen(release(life, old, context), (next) => bury(next, old, context));
}

/** The generation that served is dead: the rest of its group is ended and another one has to come. */
function mournCurrent(
  life: VassalLife,
  current: Generation,
  how: string,
  context: StepContext,
): Step {
  const servedMs = Math.round((context.nowMs - current.servingMs) / 1000) * 1000;
  const reason = `generation ${current.number} ${how} after ${formatDuration(servedMs)}`;
  const died = note(
    { ...life, current: undefined, restarts: life.restarts + 1 },
    "died",
    `vassal ${life.name} died: ${reason}`,
    current,
  );
  const told = {
    life: died.life,
    commands: [...died.commands, ...breakOff(life, "failed", reason)],
  };
  const ended = andThen(told, (next) =>
    end(next, { ...current, exited: true }, context, SHORT_PATIENCE_MS),
  );
  return andThen(ended, (next) => replaceLost(next, { served: true, reason }, context));
}

function replaceLost(
  life: VassalLife,
  death: { readonly served: boolean; readonly reason: string },
  context: StepContext,
): Step {
  if (life.candidate !== undefined) {
    const failures = life.backoff.failures + 1;
    return stay({
      ...life,
      phase: "starting",
      backoff: { ...life.backoff, failures, reason: death.reason },
    });
  }
  if (life.pending !== undefined) return begin(life, life.pending, context);
  return throttle(life, death, context);
}
