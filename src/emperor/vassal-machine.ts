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
import { passTime } from "./deadline-machine.ts";
import { begin, stay } from "./generation-machine.ts";
import { hurry } from "./leaving-machine.ts";
import {
  noteExited,
  noteFailed,
  noteLoyal,
  noteReleased,
  noteSpawnFailed,
  noteSpawned,
  spawnCandidate,
  takeOver,
  tellServe,
} from "./report-machine.ts";
import type { Cell, Phase, Step, StepContext, VassalEvent, VassalLife } from "./vassal-life.ts";
import {
  comeBack,
  deploy,
  deployNext,
  forgive,
  forgiven,
  noteProblem,
  pend,
  remember,
  remove,
  restart,
  restartWhileStopping,
  shutDown,
  startAgain,
  startWhileStopping,
  stop,
  stopWhileStopping,
} from "./wish-machine.ts";

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
