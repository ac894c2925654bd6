/** How generations leave: draining, signals that get harder, and what follows when the last one is gone. Pure. */
import { andThen, begin, breakOff, note, stay } from "./generation-machine.ts";
import type {
  AfterStop,
  Generation,
  Step,
  StepContext,
  VassalCommand,
  VassalLife,
} from "./vassal-life.ts";

/** A draining generation may take its own timeout and this much more before it is signalled. */
const DRAIN_MARGIN_MS = 2000;

/** From SIGTERM to SIGKILL. */
export const TERM_PATIENCE_MS = 5000;

/** The same for what is left of a group whose leader is dead, and when somebody is in a hurry. */
export const SHORT_PATIENCE_MS = 1000;

/** SIGKILL is repeated: a process in the kernel takes its time. */
const KILL_REPEAT_MS = 5000;

/** Tells a generation to finish; it counts as leaving from here on. */
export function drain(life: VassalLife, generation: Generation, context: StepContext): Step {
  const { drainTimeoutMs } = generation.desired.config;
  const leaving: Generation = {
    ...generation,
    step: "draining",
    deadlineMs: context.nowMs + drainTimeoutMs + DRAIN_MARGIN_MS,
  };
  return {
    life: { ...life, leaving: [...life.leaving, leaving] },
    commands: [{ type: "tellDrain", generation: generation.number, timeoutMs: drainTimeoutMs }],
  };
}

/** Ends a generation now: SIGTERM to its group, SIGKILL when that does not help. One without a process just goes. */
export function end(
  life: VassalLife,
  generation: Generation,
  context: StepContext,
  patienceMs: number,
): Step {
  const { number } = generation;
  const freed: VassalCommand[] = [{ type: "releaseSlot", generation: number }];
  if (generation.step === "queued") {
    return { life, commands: [...freed, { type: "dropGeneration", generation: number }] };
  }
  // Its process is being made this moment: it is ended as soon as it has a pid.
  if (generation.pid === 0) {
    const unborn: Generation = { ...generation, step: "ending", deadlineMs: undefined };
    return { life: { ...life, leaving: [...life.leaving, unborn] }, commands: freed };
  }
  const ending: Generation = {
    ...generation,
    step: "ending",
    sent: "SIGTERM",
    deadlineMs: context.nowMs + patienceMs,
  };
  return {
    life: { ...life, leaving: [...life.leaving, ending] },
    commands: [
      ...freed,
      ...(generation.exited ? [] : [{ type: "tellStop", generation: number } as const]),
      { type: "signalGroup", generation: number, signal: "SIGTERM" },
    ],
  };
}

/** The next stage for a leaving generation whose time is up. */
export function escalate(life: VassalLife, generation: Generation, context: StepContext): Step {
  if (generation.exited) return bury(life, generation, context);
  const signal = generation.sent === "none" ? "SIGTERM" : "SIGKILL";
  const patienceMs = signal === "SIGTERM" ? TERM_PATIENCE_MS : KILL_REPEAT_MS;
  const next: Generation = {
    ...generation,
    step: "ending",
    sent: signal,
    deadlineMs: context.nowMs + patienceMs,
  };
  const told = generation.sent !== signal;
  return {
    life: {
      ...life,
      leaving: life.leaving.map((other) => (other.number === next.number ? next : other)),
    },
    commands: [
      { type: "signalGroup", generation: next.number, signal },
      ...(told
        ? [
            {
              type: "journal",
              kind: "escalated",
              generation: next.number,
              pid: next.pid,
              message: `generation ${next.number} of vassal ${life.name} did not end in time: ${signal} to its process group`,
            } as const,
          ]
        : []),
    ],
  };
}

/** A process that was leaving is gone: nothing of its group may stay. */
export function bury(life: VassalLife, generation: Generation, context: StepContext): Step {
  const commands: VassalCommand[] = [
    { type: "signalGroup", generation: generation.number, signal: "SIGKILL" },
  ];
  if (generation.replacedBy > 0) {
    commands.push({
      type: "amendReceipt",
      by: generation.replacedBy,
      old: generation.number,
      step: "gone",
    });
  }
  commands.push({ type: "dropGeneration", generation: generation.number });
  const leaving = life.leaving.filter((other) => other.number !== generation.number);
  return andThen({ life: { ...life, leaving }, commands }, (next) => finishStopping(next, context));
}

/** Hurries everything that is leaving: SIGTERM now, SIGKILL after a second. */
export function hurry(life: VassalLife, context: StepContext): Step {
  const commands: VassalCommand[] = [];
  const leaving = life.leaving.map((generation): Generation => {
    if (generation.pid === 0 || generation.sent === "SIGKILL") return generation;
    if (generation.sent === "none") {
      commands.push({ type: "signalGroup", generation: generation.number, signal: "SIGTERM" });
    }
    const soonMs = context.nowMs + SHORT_PATIENCE_MS;
    return {
      ...generation,
      step: "ending",
      sent: "SIGTERM",
      deadlineMs: Math.min(generation.deadlineMs ?? soonMs, soonMs),
    };
  });
  return { life: { ...life, leaving }, commands };
}

const STOPPED_FIRST = "the vassal was stopped first";

/** Everything leaves; `finishStopping` decides what follows when the last one is gone. */
export function leaveAll(
  life: VassalLife,
  how: { readonly after: AfterStop; readonly gently: boolean },
  context: StepContext,
): Step {
  const { candidate, current } = life;
  const bare: VassalLife = {
    ...life,
    phase: "stopping",
    after: how.after,
    candidate: undefined,
    current: undefined,
    pending: undefined,
  };
  let step: Step = {
    life: bare,
    commands: breakOff(life, "superseded", STOPPED_FIRST),
  };
  if (candidate !== undefined) {
    step = andThen(step, (next) => supersede(next, candidate, STOPPED_FIRST, context));
  }
  if (current !== undefined) {
    step = andThen(step, (next) =>
      how.gently ? drain(next, current, context) : end(next, current, context, TERM_PATIENCE_MS),
    );
  }
  return andThen(step, (next) => finishStopping(next, context));
}

/** Throws a candidate away that is no failure: something newer, or a stop, came before it was live. */
export function supersede(
  life: VassalLife,
  candidate: Generation,
  reason: string,
  context: StepContext,
): Step {
  const receipt: Step = {
    life,
    commands: [{ type: "writeReceipt", generation: candidate, outcome: "superseded", reason }],
  };
  return andThen(receipt, (next) => end(next, candidate, context, TERM_PATIENCE_MS));
}

/** What comes when a stopping vassal has no generation left. */
export function finishStopping(life: VassalLife, context: StepContext): Step {
  if (life.phase !== "stopping" || life.leaving.length > 0) return stay(life);
  switch (life.after) {
    case "restart":
      return begin(life, "restart", context);
    case "stop":
      return note({ ...life, phase: "stopped" }, "stopped", `vassal ${life.name} has been stopped`);
    case "remove":
      return {
        life: { ...life, phase: "gone" },
        commands: [
          { type: "journal", kind: "removed", message: `vassal ${life.name} has been removed` },
          { type: "persistStopMark", stopped: false },
          { type: "forget" },
        ],
      };
    case "shutdown":
      return { life: { ...life, phase: "gone" }, commands: [{ type: "forget" }] };
  }
}
