/** What files and people ask of a vassal: the cells of the table for changes, removals and commands. Pure. */
import { andThen, begin, note, stay } from "./generation-machine.ts";
import { hurry, leaveAll } from "./leaving-machine.ts";
import type {
  Cell,
  Of,
  Step,
  StepContext,
  Trigger,
  VassalEvent,
  VassalLife,
} from "./vassal-life.ts";

/** The newest content is what is wanted from now on. */
export function remember(life: VassalLife, event: Of<"fileSeen">, context: StepContext): Step {
  const version = (life.desired?.version ?? 0) + 1;
  const { hash, config } = event;
  return stay({
    ...life,
    desired: { version, hash, config, seenAtMs: context.wallMs },
    problem: undefined,
  });
}

/** A human's touch clears the backoff and tries now. */
export function deploy(life: VassalLife, event: Of<"fileSeen">, context: StepContext): Step {
  const known = remember(life, event, context);
  return begin(forgiven(known.life), event.trigger, context);
}

/** One deploy in flight and one pending: the newest content wins. */
export function deployNext(life: VassalLife, event: Of<"fileSeen">, context: StepContext): Step {
  const { life: known } = remember(life, event, context);
  const { candidate, desired } = known;
  if (candidate?.step === "queued" && desired !== undefined) {
    return stay(
      forgiven({ ...known, candidate: { ...candidate, desired, trigger: event.trigger } }),
    );
  }
  return pend(known, event.trigger);
}

export function comeBack(life: VassalLife, event: Of<"fileSeen">, context: StepContext): Step {
  const known = remember(life, event, context);
  return life.after === "remove" ? begin(forgiven(known.life), event.trigger, context) : known;
}

/** To be begun when the deploy under way is decided. */
export function pend(life: VassalLife, trigger: Trigger): Step {
  return stay({ ...forgiven(life), pending: trigger });
}

export function noteProblem(
  life: VassalLife,
  event: Of<"fileInvalid">,
  context: StepContext,
): Step {
  const { hash, reason } = event;
  const kept = life.current === undefined ? "" : `; generation ${life.current.number} serves on`;
  const invalid: VassalLife = { ...life, problem: { hash, reason } };
  const facts = { type: "journal", kind: "invalid", message: `${reason}${kept}` } as const;
  return { life: invalid, commands: [refusal(life, event, context), facts] };
}

/** A receipt for a file that never became a generation, so that whoever waits for it learns why. */
function refusal(
  life: VassalLife,
  event: Of<"fileInvalid">,
  context: StepContext,
): Step["commands"][number] {
  return {
    type: "writeRefusal",
    hash: event.hash,
    reason: event.reason,
    lines: event.lines,
    generation: life.nextGeneration,
    previous: life.current?.number ?? 0,
    seenAtMs: context.wallMs,
  };
}

export function remove(life: VassalLife, _event: VassalEvent, context: StepContext): Step {
  const bare = { ...life, problem: undefined, stopMark: false };
  const stopping = leaveAll(bare, { after: "remove", gently: true }, context);
  return stopping.life.phase === "gone"
    ? stopping
    : andThen(stopping, (next) =>
        note(next, "removing", `vassal ${life.name} was removed: it finishes what is open`),
      );
}

export function shutDown(life: VassalLife, _event: VassalEvent, context: StepContext): Step {
  return leaveAll(life, { after: "shutdown", gently: true }, context);
}

export function stop(life: VassalLife, context: StepContext): Step {
  const marked: Step = {
    life: { ...life, stopMark: true },
    commands: [{ type: "persistStopMark", stopped: true }],
  };
  return andThen(marked, (next) => leaveAll(next, { after: "stop", gently: true }, context));
}

export function restart(life: VassalLife, _event: VassalEvent, context: StepContext): Step {
  const hard = leaveAll(forgiven(life), { after: "restart", gently: false }, context);
  // Ones that were draining already hold up nothing else than a restart does.
  return hard.life.phase === "stopping" ? andThen(hard, (next) => hurry(next, context)) : hard;
}

export function startAgain(
  trigger: "start" | "restart",
): Cell<"startAsked"> & Cell<"restartAsked"> {
  return (life, _event, context) => {
    const unmarked: Step = {
      life: { ...forgiven(life), stopMark: false },
      commands: [{ type: "persistStopMark", stopped: false }],
    };
    return andThen(unmarked, (next) => begin(next, trigger, context));
  };
}

export function startWhileStopping(
  life: VassalLife,
  event: Of<"startAsked">,
  context: StepContext,
): Step {
  return life.after === "stop" ? startAgain("start")(life, event, context) : stay(life);
}

export function restartWhileStopping(
  life: VassalLife,
  _event: VassalEvent,
  context: StepContext,
): Step {
  if (life.after !== "stop") return stay(life);
  const unmarked: Step = {
    life: { ...forgiven(life), stopMark: false, after: "restart" },
    commands: [{ type: "persistStopMark", stopped: false }],
  };
  return andThen(unmarked, (next) => hurry(next, context));
}

export function stopWhileStopping(life: VassalLife): Step {
  if (life.after !== "restart") return stay(life);
  return {
    life: { ...life, after: "stop", stopMark: true },
    commands: [{ type: "persistStopMark", stopped: true }],
  };
}

export function forgive(life: VassalLife): Step {
  return stay(forgiven(life));
}

export function forgiven(life: VassalLife): VassalLife {
  return { ...life, backoff: { failures: 0, untilMs: 0, reason: "" } };
}
