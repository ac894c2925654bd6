/** How a generation begins, and what the machine is built from: steps one after the other, notes, backoffs. Pure. */
import { formatDuration } from "../core/duration.ts";
import { decideBackoff } from "./backoff-policy.ts";
import type {
  Generation,
  Step,
  StepContext,
  Trigger,
  VassalLife,
  VassalCommand,
} from "./vassal-life.ts";

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

/** Begins what was asked for while another deploy was under way. */
export function continuePending(step: Step, context: StepContext): Step {
  const { pending } = step.life;
  return pending === undefined ? step : andThen(step, (life) => begin(life, pending, context));
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

export function generationsOf(life: VassalLife): readonly Generation[] {
  return [life.current, life.candidate, ...life.leaving].filter((one) => one !== undefined);
}

/** Addresses that must stay open: of every generation that may still accept, and of one that is about to come. */
export function addressesInUse(life: VassalLife): readonly string[] {
  const texts = new Set<string>();
  for (const generation of generationsOf(life)) {
    if (generation.released || generation.exited) continue;
    for (const address of generation.desired.config.listen) texts.add(address.text);
  }
  // The kernel's queue survives the gap between two generations.
  const gap = life.phase === "throttled" || (life.phase === "stopping" && life.after === "restart");
  if (gap) for (const address of life.desired?.config.listen ?? []) texts.add(address.text);
  return [...texts];
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
