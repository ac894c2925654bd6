/** How a candidate ends that never served: it fails, or something newer comes first. Pure. */
import { andThen, continuePending, stay, throttle } from "./generation-machine.ts";
import { SHORT_PATIENCE_MS, TERM_PATIENCE_MS, end } from "./leaving-machine.ts";
import type { Generation, Step, StepContext, VassalLife } from "./vassal-life.ts";

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
