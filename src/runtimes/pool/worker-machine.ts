/**
 * The life of one worker process as its pool sees it: phase x input -> phase and commands.
 *
 *   starting ──ready──> serving ──retire──> retiring ──┐
 *      │                   │                   │       ├─exited──> gone
 *      └────── terminate / kill / timeout ─────┴──> terminating ──timeout──> killed
 */

export type WorkerPhase = "starting" | "serving" | "retiring" | "terminating" | "killed" | "gone";

export type WorkerInput = "ready" | "exited" | "retire" | "terminate" | "kill" | "timeout";

/** What the shell has to do; `report…` ends in the pool, the others at the process or at its one timer. */
export type WorkerCommand =
  | "retire"
  | "sendTerm"
  | "sendKill"
  | "armRetire"
  | "armTerm"
  | "disarm"
  | "reportReady"
  | "reportSlowStart"
  | "reportStuck"
  | "reportGone";

export interface WorkerStep {
  readonly phase: WorkerPhase;
  readonly commands: readonly WorkerCommand[];
}

type Table = { readonly [P in WorkerPhase]: { readonly [I in WorkerInput]: WorkerStep } };

const to = (phase: WorkerPhase, ...commands: WorkerCommand[]): WorkerStep => ({ phase, commands });
const stay = (phase: WorkerPhase): WorkerStep => ({ phase, commands: [] });
const GONE = to("gone", "disarm", "reportGone");
const KILL = to("killed", "disarm", "sendKill");
const TERMINATE = to("terminating", "sendTerm", "armTerm");

const TABLE = {
  starting: {
    ready: to("serving", "disarm", "reportReady"),
    exited: GONE,
    retire: TERMINATE,
    terminate: TERMINATE,
    kill: KILL,
    timeout: to("killed", "reportSlowStart", "sendKill"),
  },
  serving: {
    ready: stay("serving"),
    exited: GONE,
    retire: to("retiring", "retire", "armRetire"),
    terminate: TERMINATE,
    kill: KILL,
    timeout: stay("serving"),
  },
  retiring: {
    ready: stay("retiring"),
    exited: GONE,
    retire: stay("retiring"),
    terminate: TERMINATE,
    kill: KILL,
    timeout: to("killed", "reportStuck", "sendKill"),
  },
  terminating: {
    ready: stay("terminating"),
    exited: GONE,
    retire: stay("terminating"),
    terminate: stay("terminating"),
    kill: KILL,
    timeout: to("killed", "reportStuck", "sendKill"),
  },
  killed: {
    ready: stay("killed"),
    exited: GONE,
    retire: stay("killed"),
    terminate: stay("killed"),
    kill: stay("killed"),
    timeout: stay("killed"),
  },
  gone: {
    ready: stay("gone"),
    exited: stay("gone"),
    retire: stay("gone"),
    terminate: stay("gone"),
    kill: stay("gone"),
    timeout: stay("gone"),
  },
} as const satisfies Table;

/** The next phase of a worker and what to do on the way. */
export function stepWorker(phase: WorkerPhase, input: WorkerInput): WorkerStep {
  return TABLE[phase][input];
}
