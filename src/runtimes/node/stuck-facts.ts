/** What the watchdog asks of a main thread that the debugger holds: the requests under way. */

/** The key on `process` under which the main thread keeps the function that answers with StuckFact[] as JSON. */
export const STUCK_FACTS = Symbol.for("tsgi.stuckFacts");

/** Evaluated in the main thread. */
export const STUCK_FACTS_EXPRESSION = `globalThis.process[Symbol.for("tsgi.stuckFacts")]()`;

export interface StuckFact {
  /** Where last words may be written, or -1. */
  readonly fd: number;
  readonly text: string;
  /** The code that runs now is of this request. */
  readonly isCurrent: boolean;
  readonly isOverdue: boolean;
}
