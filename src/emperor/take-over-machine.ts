/** From "accepting" of a new generation to "released" of the ones before it. Pure. */
import { formatDuration } from "../core/duration.ts";
import { andThen, continuePending, stay } from "./generation-machine.ts";
import { drain } from "./leaving-machine.ts";
import type { Generation, Step, StepContext, VassalCommand, VassalLife } from "./vassal-life.ts";

/** From "drain" to "released"; after it the new generation counts as live all the same. */
export const RELEASE_TIMEOUT_MS = 2000;

/** The candidate takes over; the generation before it drains. It is live once it is the only one that accepts. */
export function promote(life: VassalLife, context: StepContext): Step {
  const { candidate, current } = life;
  if (candidate === undefined) return stay(life);
  const serving: Generation = {
    ...candidate,
    step: "serving",
    deadlineMs: undefined,
    servingMs: context.nowMs,
    stamps: { ...candidate.stamps, servingAtMs: context.wallMs },
  };
  const accepting: Step = {
    life: {
      ...life,
      phase: "takingOver",
      current: serving,
      candidate: undefined,
      lastFailure: undefined,
    },
    commands: [{ type: "recordServing", generation: serving.number }],
  };
  const drained =
    current === undefined
      ? accepting
      : andThen(accepting, (next) =>
          drain(next, { ...current, replacedBy: serving.number }, context),
        );
  return andThen(drained, (next) => settleTakeOver(next, context));
}

/** When a take-over counts as done although an old generation is silent; undefined = none is under way. */
export function takeOverDueMs(life: VassalLife): number | undefined {
  return life.phase === "takingOver" && life.current !== undefined
    ? life.current.servingMs + RELEASE_TIMEOUT_MS
    : undefined;
}

/** Ends a take-over when no old generation accepts any more, or its time is up: the new one is live. */
export function settleTakeOver(life: VassalLife, context: StepContext): Step {
  const { current } = life;
  const dueMs = takeOverDueMs(life);
  if (current === undefined || dueMs === undefined) return stay(life);
  const silent = life.leaving.filter(mayAccept);
  if (silent.length > 0 && dueMs > context.nowMs) return stay(life);
  const { number, pid } = current;
  const live: Step = {
    life: { ...life, phase: "serving" },
    commands: [
      ...silent.map((old) => notReleased(life, old, number)),
      {
        type: "writeReceipt",
        generation: current,
        outcome: "live",
        reason: `generation ${number} is live`,
      },
      {
        type: "journal",
        kind: "live",
        generation: number,
        pid,
        message: `vassal ${life.name} is ready to accept requests: generation ${number} is live`,
      },
    ],
  };
  return continuePending(live, context);
}

/** It served once and has not stopped. */
function mayAccept({ servingMs, released, exited }: Generation): boolean {
  return servingMs > 0 && !released && !exited;
}

function notReleased(life: VassalLife, old: Generation, by: number): VassalCommand {
  const patience = formatDuration(RELEASE_TIMEOUT_MS);
  return {
    type: "journal",
    kind: "not-released",
    generation: old.number,
    pid: old.pid,
    message: `generation ${old.number} of vassal ${life.name} did not stop accepting within ${patience}: generation ${by} counts as live all the same`,
  };
}

/** A leaving generation accepts nothing any more; the receipt of the one that replaced it says when. */
export function release(life: VassalLife, old: Generation, context: StepContext): Step {
  const { current, phase } = life;
  const leaving = life.leaving.map((one) => (one === old ? { ...one, released: true } : one));
  const by = old.replacedBy;
  if (phase === "takingOver" && current !== undefined) {
    const stamps = { ...current.stamps, oldReleasedAtMs: context.wallMs };
    const stamped = by === current.number ? { ...current, stamps } : current;
    return settleTakeOver({ ...life, current: stamped, leaving }, context);
  }
  const amended = { type: "amendReceipt", by, old: old.number, step: "released" } as const;
  return { life: { ...life, leaving }, commands: by === 0 ? [] : [amended] };
}
