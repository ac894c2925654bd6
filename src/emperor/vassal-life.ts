/** The words of a vassal's life: phases, generations, events, commands. Data only; `vassal-machine.ts` has the rules. */
import type { VassalConfig } from "../config/vassal-config.ts";
import type { DeployReceipt } from "../stats/emperor-snapshot.ts";

export const PHASES = [
  /** Stopped by a command; stays so until `start`. */
  "stopped",
  /** Nothing runs because there was no usable file yet. */
  "invalid",
  /** Nothing serves yet, a candidate is on its way. */
  "starting",
  "serving",
  /** One generation serves, a candidate is on its way. */
  "deploying",
  /** The newest generation accepts, and one before it may do so too: it has not said "released" yet. */
  "takingOver",
  /** Nothing serves; waits for the end of a backoff. */
  "throttled",
  /** Generations are leaving and nothing new begins until they are gone; `after` says what comes then. */
  "stopping",
  "gone",
] as const;

export type Phase = (typeof PHASES)[number];

export type Trigger = DeployReceipt["trigger"];

/** What the newest usable file content asks for. `version` counts sightings, so that a touch is a change. */
export interface Desired {
  readonly version: number;
  readonly hash: string;
  readonly config: VassalConfig;
  readonly seenAtMs: number;
}

/**
 * queued: waits for a place in the spawn pool · starting: spawned or about to be · ready: was told to serve ·
 * serving · draining: was told to finish · ending: was told to end, or its leader is dead and its group must follow.
 */
export type GenerationStep = "queued" | "starting" | "ready" | "serving" | "draining" | "ending";

export interface Generation {
  readonly number: number;
  readonly trigger: Trigger;
  readonly desired: Desired;
  /** The generation that served when this one began; 0 = none. */
  readonly previous: number;
  /** The generation that took over from this one; 0 = none. */
  readonly replacedBy: number;
  readonly step: GenerationStep;
  /** 0 until the process exists. */
  readonly pid: number;
  readonly exited: boolean;
  /** It accepts no more connections, so its sockets are not needed any more. */
  readonly released: boolean;
  readonly loyal: boolean;
  /** Monotonic; when the step has lasted too long. */
  readonly deadlineMs: number | undefined;
  /** The hardest signal that was sent to its group. */
  readonly sent: "none" | "SIGTERM" | "SIGKILL";
  /** Monotonic, 0 = not yet. */
  readonly startedMs: number;
  readonly servingMs: number;
  /** Wall clock, 0 = not yet. */
  readonly stamps: {
    readonly seenAtMs: number;
    readonly spawnedAtMs: number;
    readonly readyAtMs: number;
    /** When it accepted. */
    readonly servingAtMs: number;
    /** When the generation before it had stopped accepting. */
    readonly oldReleasedAtMs: number;
  };
}

/** What follows when the last generation of a stopping vassal is gone. */
export type AfterStop = "stop" | "remove" | "restart" | "shutdown";

export interface Backoff {
  /** Failures in a row that are not forgotten yet. */
  readonly failures: number;
  /** Monotonic; only meaningful while throttled. */
  readonly untilMs: number;
  readonly reason: string;
}

export interface VassalLife {
  readonly name: string;
  readonly phase: Phase;
  readonly desired: Desired | undefined;
  /** Why the file as it is on disk cannot be used; what runs is older. */
  readonly problem: { readonly hash: string; readonly reason: string } | undefined;
  readonly current: Generation | undefined;
  readonly candidate: Generation | undefined;
  readonly leaving: readonly Generation[];
  /** A further deploy that begins when the present one is decided. */
  readonly pending: Trigger | undefined;
  readonly after: AfterStop;
  readonly stopMark: boolean;
  readonly backoff: Backoff;
  /**
   * Why the last deploy failed; cleared by the next one that accepts. While an older generation serves, nothing is tried
   * again by itself, whatever the reason was: a touch, a change or a command tries. With nothing that serves it is tried
   * after a backoff.
   */
  readonly lastFailure: { readonly generation: number; readonly reason: string } | undefined;
  readonly nextGeneration: number;
  /** Deaths that nobody asked for. */
  readonly restarts: number;
}

export type VassalEvent =
  | {
      readonly type: "fileSeen";
      readonly hash: string;
      readonly config: VassalConfig;
      readonly trigger: "created" | "changed" | "touched";
    }
  | {
      readonly type: "fileInvalid";
      readonly hash: string;
      readonly reason: string;
      readonly lines: readonly string[];
    }
  | { readonly type: "fileRemoved" }
  | { readonly type: "reloadAsked" }
  | { readonly type: "restartAsked" }
  | { readonly type: "stopAsked" }
  | { readonly type: "startAsked" }
  | { readonly type: "pardonAsked" }
  | { readonly type: "shutdownAsked" }
  /** A second request to shut down: no more patience. */
  | { readonly type: "hurryAsked" }
  | { readonly type: "slotGranted"; readonly generation: number }
  | { readonly type: "spawned"; readonly generation: number; readonly pid: number }
  | { readonly type: "spawnFailed"; readonly generation: number; readonly reason: string }
  | { readonly type: "readyReported"; readonly generation: number }
  | { readonly type: "acceptingReported"; readonly generation: number }
  | { readonly type: "loyalReported"; readonly generation: number }
  | { readonly type: "failedReported"; readonly generation: number; readonly reason: string }
  | { readonly type: "releasedReported"; readonly generation: number }
  /** Garbage on its channel. */
  | { readonly type: "linkBroken"; readonly generation: number; readonly reason: string }
  | { readonly type: "exited"; readonly generation: number; readonly how: string }
  | { readonly type: "deadlineReached" };

export const EVENT_TYPES = [
  "fileSeen",
  "fileInvalid",
  "fileRemoved",
  "reloadAsked",
  "restartAsked",
  "stopAsked",
  "startAsked",
  "pardonAsked",
  "shutdownAsked",
  "hurryAsked",
  "slotGranted",
  "spawned",
  "spawnFailed",
  "readyReported",
  "acceptingReported",
  "loyalReported",
  "failedReported",
  "releasedReported",
  "linkBroken",
  "exited",
  "deadlineReached",
] as const satisfies readonly VassalEvent["type"][];

export type VassalCommand =
  | { readonly type: "askSlot"; readonly generation: number; readonly lane: "urgent" | "boot" }
  | { readonly type: "releaseSlot"; readonly generation: number }
  | { readonly type: "spawn"; readonly generation: Generation }
  | { readonly type: "tellServe"; readonly generation: number }
  | { readonly type: "tellDrain"; readonly generation: number; readonly timeoutMs: number }
  | { readonly type: "tellStop"; readonly generation: number }
  | {
      readonly type: "signalGroup";
      readonly generation: number;
      readonly signal: "SIGTERM" | "SIGKILL";
    }
  /** Every process of it is gone or was never there: its files go too. */
  | { readonly type: "dropGeneration"; readonly generation: number }
  | { readonly type: "recordServing"; readonly generation: number }
  | {
      readonly type: "writeReceipt";
      readonly generation: Generation;
      readonly outcome: "live" | "failed" | "superseded";
      readonly reason: string;
    }
  /** A receipt for a file that never became a generation; its number stays free. */
  | {
      readonly type: "writeRefusal";
      readonly generation: number;
      readonly previous: number;
      readonly hash: string;
      readonly reason: string;
      readonly lines: readonly string[];
      readonly seenAtMs: number;
    }
  /** A step of the generation that `by` replaced, for the receipt of `by`. */
  | {
      readonly type: "amendReceipt";
      readonly by: number;
      readonly old: number;
      readonly step: "released" | "gone";
    }
  | { readonly type: "persistStopMark"; readonly stopped: boolean }
  | {
      readonly type: "journal";
      readonly kind: string;
      readonly message: string;
      readonly generation?: number;
      readonly pid?: number;
    }
  /** The vassal is gone: nothing of it is kept but its log and receipts. */
  | { readonly type: "forget" };

/** Time and chance, handed in. `random` is in [0, 1). */
export interface StepContext {
  readonly nowMs: number;
  readonly wallMs: number;
  readonly random: number;
}

export interface Step {
  readonly life: VassalLife;
  readonly commands: readonly VassalCommand[];
}

/** A vassal as it is first heard of. */
export function newLife(
  name: string,
  known: { readonly nextGeneration: number; readonly stopMark: boolean },
): VassalLife {
  return {
    name,
    phase: known.stopMark ? "stopped" : "invalid",
    desired: undefined,
    problem: undefined,
    current: undefined,
    candidate: undefined,
    leaving: [],
    pending: undefined,
    after: "stop",
    stopMark: known.stopMark,
    backoff: { failures: 0, untilMs: 0, reason: "" },
    lastFailure: undefined,
    nextGeneration: known.nextGeneration,
    restarts: 0,
  };
}

/** The event of one type. */
export type Of<E extends VassalEvent["type"]> = Extract<VassalEvent, { type: E }>;

/** What one phase does with one event. */
export type Cell<E extends VassalEvent["type"]> = (
  life: VassalLife,
  event: Of<E>,
  context: StepContext,
) => Step;
