/**
 * THE table: what a vassal does in each phase with each event. Pure; generations are data in the life, effects are commands.
 *
 *                        file, start                            accepting
 *    invalid, stopped ───────────────▶ starting ─────────────────────────────▶ serving ◀──────────────────┐
 *          ▲                           │    ▲ ▲                                 │   │ change, touch,      │ the old one has released
 *          │                    failed │    │ │ died: once at once              │   │ reload              │ (or 2 s have passed)
 *          │                           ▼    │ └─────────────────────────────────┤   ▼         accepting   │
 *          │                     throttled ─┘ time, touch, command              │  deploying ────▶ takingOver
 *          │                           ▲                                        │   │ failed: the old one serves on (serving)
 *          │                           └──────── died again and again ──────────┤   │ died: the candidate goes on as starting
 *          │ stop                                                               ▼   ▼
 *          └──────────────────────────────────────────────────────────────── stopping ──▶ gone   (file removed, shutdown)
 *
 * A deploy that fails while an older generation serves is not tried again by itself: service is kept, and a reason that
 * passes (a port in use by a stranger) cannot be told from one that stays. A touch, a change or a command tries again.
 */
import { STABLE_MS, forgivenAtMs } from "./loyalty-policy.ts";
import { formatDuration } from "../core/duration.ts";
import {
  ACCEPT_TIMEOUT_MS,
  TERM_PATIENCE_MS,
  andThen,
  begin,
  bury,
  drain,
  end,
  escalate,
  failCandidate,
  finishStopping,
  hurry,
  leaveAll,
  note,
  promote,
  breakOff,
  release,
  settleTakeOver,
  SHORT_PATIENCE_MS,
  stay,
  supersede,
  takeOverDueMs,
  throttle,
} from "./generation-machine.ts";
import type {
  Generation,
  Phase,
  Step,
  StepContext,
  Trigger,
  VassalEvent,
  VassalLife,
} from "./vassal-life.ts";

/** A candidate made from content that is no longer the newest gets this long before the newest takes its place. */
export const STALE_CANDIDATE_MS = 5000;

type Of<E extends VassalEvent["type"]> = Extract<VassalEvent, { type: E }>;
type Cell<E extends VassalEvent["type"]> = (
  life: VassalLife,
  event: Of<E>,
  context: StepContext,
) => Step;
type Table = { readonly [P in Phase]: { readonly [E in VassalEvent["type"]]: Cell<E> } };

/** Events about one generation mean the same in every phase: the generation itself says where it stands. */
const GENERATION_CELLS = {
  slotGranted: spawnCandidate,
  spawned: noteSpawned,
  spawnFailed: noteSpawnFailed,
  readyReported: tellServe,
  acceptingReported: takeOver,
  loyalReported: noteLoyal,
  failedReported: noteFailed,
  releasedReported: noteReleased,
  linkBroken: noteFailed,
  exited: noteExited,
  deadlineReached: passTime,
} satisfies { readonly [E in VassalEvent["type"]]?: Cell<E> };

const TABLE = {
  stopped: {
    ...GENERATION_CELLS,
    fileSeen: remember,
    fileInvalid: noteProblem,
    fileRemoved: remove,
    reloadAsked: stay,
    restartAsked: startAgain("restart"),
    stopAsked: stay,
    startAsked: startAgain("start"),
    pardonAsked: forgive,
    shutdownAsked: shutDown,
    hurryAsked: stay,
  },
  invalid: {
    ...GENERATION_CELLS,
    fileSeen: deploy,
    fileInvalid: noteProblem,
    fileRemoved: remove,
    reloadAsked: stay,
    restartAsked: stay,
    stopAsked: (life, _event, context) => stop(life, context),
    startAsked: stay,
    pardonAsked: forgive,
    shutdownAsked: shutDown,
    hurryAsked: stay,
  },
  starting: {
    ...GENERATION_CELLS,
    fileSeen: deployNext,
    fileInvalid: noteProblem,
    fileRemoved: remove,
    reloadAsked: (life) => pend(life, "reload"),
    restartAsked: restart,
    stopAsked: (life, _event, context) => stop(life, context),
    startAsked: stay,
    pardonAsked: forgive,
    shutdownAsked: shutDown,
    hurryAsked: stay,
  },
  serving: {
    ...GENERATION_CELLS,
    fileSeen: deploy,
    fileInvalid: noteProblem,
    fileRemoved: remove,
    reloadAsked: (life, _event, context) => begin(forgiven(life), "reload", context),
    restartAsked: restart,
    stopAsked: (life, _event, context) => stop(life, context),
    startAsked: stay,
    pardonAsked: forgive,
    shutdownAsked: shutDown,
    hurryAsked: stay,
  },
  deploying: {
    ...GENERATION_CELLS,
    fileSeen: deployNext,
    fileInvalid: noteProblem,
    fileRemoved: remove,
    reloadAsked: (life) => pend(life, "reload"),
    restartAsked: restart,
    stopAsked: (life, _event, context) => stop(life, context),
    startAsked: stay,
    pardonAsked: forgive,
    shutdownAsked: shutDown,
    hurryAsked: stay,
  },
  takingOver: {
    ...GENERATION_CELLS,
    fileSeen: deployNext,
    fileInvalid: noteProblem,
    fileRemoved: remove,
    reloadAsked: (life) => pend(life, "reload"),
    restartAsked: restart,
    stopAsked: (life, _event, context) => stop(life, context),
    startAsked: stay,
    pardonAsked: forgive,
    shutdownAsked: shutDown,
    hurryAsked: stay,
  },
  throttled: {
    ...GENERATION_CELLS,
    fileSeen: deploy,
    fileInvalid: noteProblem,
    fileRemoved: remove,
    reloadAsked: (life, _event, context) => begin(forgiven(life), "reload", context),
    restartAsked: (life, _event, context) => begin(forgiven(life), "restart", context),
    stopAsked: (life, _event, context) => stop(life, context),
    startAsked: (life, _event, context) => begin(forgiven(life), "start", context),
    pardonAsked: (life, _event, context) => begin(forgiven(life), "start", context),
    shutdownAsked: shutDown,
    hurryAsked: stay,
  },
  stopping: {
    ...GENERATION_CELLS,
    fileSeen: comeBack,
    fileInvalid: noteProblem,
    fileRemoved: (life) =>
      stay(life.after === "shutdown" ? life : { ...life, after: "remove", problem: undefined }),
    reloadAsked: stay,
    restartAsked: restartWhileStopping,
    stopAsked: stopWhileStopping,
    startAsked: startWhileStopping,
    pardonAsked: forgive,
    shutdownAsked: (life) => stay({ ...life, after: "shutdown" }),
    hurryAsked: (life, _event, context) => hurry(life, context),
  },
  gone: {
    ...GENERATION_CELLS,
    fileSeen: stay,
    fileInvalid: stay,
    fileRemoved: stay,
    reloadAsked: stay,
    restartAsked: stay,
    stopAsked: stay,
    startAsked: stay,
    pardonAsked: stay,
    shutdownAsked: stay,
    hurryAsked: stay,
  },
} satisfies Table;

/** The next life of a vassal and what has to be done for it. */
export function step(life: VassalLife, event: VassalEvent, context: StepContext): Step {
  // The table is complete by its type; only the pairing of event and cell is beyond what the compiler follows.
  const cell = TABLE[life.phase][event.type] as (
    life: VassalLife,
    event: VassalEvent,
    context: StepContext,
  ) => Step;
  return cell(life, event, context);
}

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

export function generationsOf(life: VassalLife): readonly Generation[] {
  return [life.current, life.candidate, ...life.leaving].filter((one) => one !== undefined);
}

// ---- the file and the people

function remember(life: VassalLife, event: Of<"fileSeen">, context: StepContext): Step {
  const version = (life.desired?.version ?? 0) + 1;
  const { hash, config } = event;
  return stay({
    ...life,
    desired: { version, hash, config, seenAtMs: context.wallMs },
    problem: undefined,
  });
}

/** A human's touch clears the backoff and tries now. */
function deploy(life: VassalLife, event: Of<"fileSeen">, context: StepContext): Step {
  const known = remember(life, event, context);
  return begin(forgiven(known.life), event.trigger, context);
}

/** One deploy in flight and one pending: the newest content wins. */
function deployNext(life: VassalLife, event: Of<"fileSeen">, context: StepContext): Step {
  const { life: known } = remember(life, event, context);
  const { candidate, desired } = known;
  if (candidate?.step === "queued" && desired !== undefined) {
    return stay(
      forgiven({ ...known, candidate: { ...candidate, desired, trigger: event.trigger } }),
    );
  }
  return pend(known, event.trigger);
}

function comeBack(life: VassalLife, event: Of<"fileSeen">, context: StepContext): Step {
  const known = remember(life, event, context);
  return life.after === "remove" ? begin(forgiven(known.life), event.trigger, context) : known;
}

function pend(life: VassalLife, trigger: Trigger): Step {
  return stay({ ...forgiven(life), pending: trigger });
}

function noteProblem(life: VassalLife, event: Of<"fileInvalid">, context: StepContext): Step {
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

function remove(life: VassalLife, _event: VassalEvent, context: StepContext): Step {
  const bare = { ...life, problem: undefined, stopMark: false };
  const stopping = leaveAll(bare, { after: "remove", gently: true }, context);
  return stopping.life.phase === "gone"
    ? stopping
    : andThen(stopping, (next) =>
        note(next, "removing", `vassal ${life.name} was removed: it finishes what is open`),
      );
}

function shutDown(life: VassalLife, _event: VassalEvent, context: StepContext): Step {
  return leaveAll(life, { after: "shutdown", gently: true }, context);
}

function stop(life: VassalLife, context: StepContext): Step {
  const marked: Step = {
    life: { ...life, stopMark: true },
    commands: [{ type: "persistStopMark", stopped: true }],
  };
  return andThen(marked, (next) => leaveAll(next, { after: "stop", gently: true }, context));
}

function restart(life: VassalLife, _event: VassalEvent, context: StepContext): Step {
  const hard = leaveAll(forgiven(life), { after: "restart", gently: false }, context);
  // Ones that were draining already hold up nothing else than a restart does.
  return hard.life.phase === "stopping" ? andThen(hard, (next) => hurry(next, context)) : hard;
}

function startAgain(trigger: "start" | "restart"): Cell<"startAsked"> & Cell<"restartAsked"> {
  return (life, _event, context) => {
    const unmarked: Step = {
      life: { ...forgiven(life), stopMark: false },
      commands: [{ type: "persistStopMark", stopped: false }],
    };
    return andThen(unmarked, (next) => begin(next, trigger, context));
  };
}

function startWhileStopping(life: VassalLife, event: Of<"startAsked">, context: StepContext): Step {
  return life.after === "stop" ? startAgain("start")(life, event, context) : stay(life);
}

function restartWhileStopping(life: VassalLife, _event: VassalEvent, context: StepContext): Step {
  if (life.after !== "stop") return stay(life);
  const unmarked: Step = {
    life: { ...forgiven(life), stopMark: false, after: "restart" },
    commands: [{ type: "persistStopMark", stopped: false }],
  };
  return andThen(unmarked, (next) => hurry(next, context));
}

function stopWhileStopping(life: VassalLife): Step {
  if (life.after !== "restart") return stay(life);
  return {
    life: { ...life, after: "stop", stopMark: true },
    commands: [{ type: "persistStopMark", stopped: true }],
  };
}

function forgive(life: VassalLife): Step {
  return stay(forgiven(life));
}

function forgiven(life: VassalLife): VassalLife {
  return { ...life, backoff: { failures: 0, untilMs: 0, reason: "" } };
}

// ---- one generation

function spawnCandidate(life: VassalLife, event: Of<"slotGranted">, context: StepContext): Step {
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

function noteSpawned(life: VassalLife, event: Of<"spawned">, context: StepContext): Step {
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

function noteSpawnFailed(life: VassalLife, event: Of<"spawnFailed">, context: StepContext): Step {
  if (life.candidate?.number === event.generation) {
    return failCandidate(life, { reason: event.reason, process: "none" }, context);
  }
  const unborn = life.leaving.find((one) => one.number === event.generation && one.pid === 0);
  return unborn === undefined ? stay(life) : bury(life, unborn, context);
}

function tellServe(life: VassalLife, event: Of<"readyReported">, context: StepContext): Step {
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

function takeOver(life: VassalLife, event: Of<"acceptingReported">, context: StepContext): Step {
  const { candidate } = life;
  if (candidate?.number !== event.generation || candidate.step !== "ready") return stay(life);
  return promote(life, context);
}

function noteLoyal(life: VassalLife, event: Of<"loyalReported">): Step {
  const { current } = life;
  if (current?.number !== event.generation || current.loyal) return stay(life);
  const loyal = { ...current, loyal: true };
  return note({ ...life, current: loyal }, "loyal", `vassal ${life.name} is now loyal`, loyal);
}

function noteFailed(
  life: VassalLife,
  event: Of<"failedReported"> | Of<"linkBroken">,
  context: StepContext,
): Step {
  if (life.candidate?.number !== event.generation) return stay(life);
  return failCandidate(life, { reason: event.reason, process: "alive" }, context);
}

/** Also unasked: a generation that stops accepting by itself (somebody sent it SIGTERM) is replaced while it finishes. */
function noteReleased(life: VassalLife, event: Of<"releasedReported">, context: StepContext): Step {
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

function noteExited(life: VassalLife, event: Of<"exited">, context: StepContext): Step {
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

// ---- time

function passTime(life: VassalLife, _event: VassalEvent, context: StepContext): Step {
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
