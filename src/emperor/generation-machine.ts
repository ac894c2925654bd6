/** What happens to single generations inside a vassal's life: the moves from which `vassal-machine.ts` builds its table. Pure. */
import { formatDuration } from "../core/duration.ts";
import { decideBackoff } from "./backoff-policy.ts";
import type {
  AfterStop,
  Generation,
  Step,
  StepContext,
  Trigger,
  VassalCommand,
  VassalLife,
} from "./vassal-life.ts";

/** From "serve" to "accepting". */
export const ACCEPT_TIMEOUT_MS = 10_000;
/** From "drain" to "released"; after it the new generation counts as live all the same. */
export const RELEASE_TIMEOUT_MS = 2000;
/** A draining generation may take its own timeout and this much more before it is signalled. */
export const DRAIN_MARGIN_MS = 2000;
/** From SIGTERM to SIGKILL. */
export const TERM_PATIENCE_MS = 5000;
/** The same for what is left of a group whose leader is dead, and when somebody is in a hurry. */
export const SHORT_PATIENCE_MS = 1000;
/** SIGKILL is repeated: a process in the kernel takes its time. */
export const KILL_REPEAT_MS = 5000;

export function stay(life: VassalLife): Step {
  return { life, commands: [] };
}

/** Runs `next` on the result of `first` and keeps the commands of both, in order. */
export function andThen(first: Step, next: (life: VassalLife) => Step): Step {
  const second = next(first.life);
  return { life: second.life, commands: [...first.commands, ...second.commands] };
}

export function note(life: VassalLife, kind: string, message: string, of?: Generation): Step {
  const facts =
    of === undefined ? {} : { generation: of.number, ...(of.pid > 0 && { pid: of.pid }) };
  return { life, commands: [{ type: "journal", kind, message, ...facts }] };
}

/** Puts a new candidate for the desired content into the queue of the spawn pool. */
export function begin(life: VassalLife, trigger: Trigger, context: StepContext): Step {
  const { desired } = life;
  if (desired === undefined) return stay({ ...life, phase: "invalid", pending: undefined });
  const byFile = trigger === "created" || trigger === "changed" || trigger === "touched";
  const candidate: Generation = {
    number: life.nextGeneration,
    trigger,
    desired,
    previous: life.current?.number ?? 0,
    replacedBy: 0,
    step: "queued",
    pid: 0,
    exited: false,
    released: false,
    loyal: false,
    deadlineMs: undefined,
    sent: "none",
    startedMs: 0,
    servingMs: 0,
    stamps: {
      seenAtMs: byFile ? desired.seenAtMs : context.wallMs,
      spawnedAtMs: 0,
      readyAtMs: 0,
      servingAtMs: 0,
      oldReleasedAtMs: 0,
    },
  };
  const boots = trigger === "created" || (trigger === "crash" && life.backoff.failures > 1);
  return {
    life: {
      ...life,
      phase: life.current === undefined ? "starting" : "deploying",
      candidate,
      pending: undefined,
      nextGeneration: life.nextGeneration + 1,
    },
    commands: [
      {
        type: "askSlot",
        generation: candidate.number,
        lane: boots && life.current === undefined ? "boot" : "urgent",
      },
    ],
  };
}

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

/** The receipt of a generation that accepted but never was live; nothing when no take-over is under way. */
export function breakOff(
  life: VassalLife,
  outcome: "failed" | "superseded",
  reason: string,
): VassalCommand[] {
  const { phase, current } = life;
  if (phase !== "takingOver" || current === undefined) return [];
  return [{ type: "writeReceipt", generation: current, outcome, reason }];
}

/** Begins what was asked for while another deploy was under way. */
function continuePending(step: Step, context: StepContext): Step {
  const { pending } = step.life;
  return pending === undefined ? step : andThen(step, (life) => begin(life, pending, context));
}

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

/** The candidate is thrown away; what served before serves on, or a backoff begins. */
export function failCandidate(
  life: VassalLife,
  failed: { readonly reason: string; readonly process: "alive" | "exited" | "none" },
  context: StepContext,
): Step {
  const { candidate } = life;
  if (candidate === undefined) return stay(life);
  const reason = failed.reason;
  const without: VassalLife = {
    ...life,
    candidate: undefined,
    lastFailure: { generation: candidate.number, reason },
  };
  const receipt: Step = {
    life: without,
    commands: [
      { type: "writeReceipt", generation: candidate, outcome: "failed", reason },
      {
        type: "journal",
        kind: "failed",
        generation: candidate.number,
        ...(candidate.pid > 0 && { pid: candidate.pid }),
        message: failureSentence(life, candidate, reason),
      },
    ],
  };
  const ended = andThen(receipt, (next) => endFailed(next, candidate, failed.process, context));
  if (life.current !== undefined) {
    return continuePending({ ...ended, life: { ...ended.life, phase: "serving" } }, context);
  }
  if (life.pending !== undefined) return continuePending(ended, context);
  return andThen(ended, (next) => throttle(next, { served: false, reason }, context));
}

function failureSentence(life: VassalLife, candidate: Generation, reason: string): string {
  const kept = life.current === undefined ? "" : `; generation ${life.current.number} serves on`;
  return `generation ${candidate.number} of vassal ${life.name} failed: ${reason}${kept}`;
}

function endFailed(
  life: VassalLife,
  candidate: Generation,
  process: "alive" | "exited" | "none",
  context: StepContext,
): Step {
  if (process === "none") return end(life, { ...candidate, step: "queued" }, context, 0);
  const gone = process === "exited";
  return end(
    life,
    { ...candidate, exited: gone },
    context,
    gone ? SHORT_PATIENCE_MS : TERM_PATIENCE_MS,
  );
}

/** After a death with nothing left that serves: begin again at once, or after a backoff. */
export function throttle(
  life: VassalLife,
  death: { readonly served: boolean; readonly reason: string },
  context: StepContext,
): Step {
  const { failures, delayMs } = decideBackoff({
    failures: life.backoff.failures,
    served: death.served,
    random: context.random,
  });
  const backoff = { failures, untilMs: context.nowMs + delayMs, reason: death.reason };
  if (delayMs === 0) return begin({ ...life, backoff }, "crash", context);
  return note(
    { ...life, phase: "throttled", backoff },
    "backoff",
    `vassal ${life.name} is backing off, try ${failures + 1}, next in ${formatDuration(roundSeconds(delayMs))}, because ${death.reason}`,
  );
}

function roundSeconds(delayMs: number): number {
  return delayMs < 1000 ? delayMs : Math.round(delayMs / 1000) * 1000;
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
