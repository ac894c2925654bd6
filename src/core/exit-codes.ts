/** Exit codes of the commands (contract section 1) and of the vassal process (uWSGI's numbers where it has one). */

export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  noEmperor: 3,
  timedOut: 124,
} as const;

/** How a vassal process ends; read by the emperor as a hint, never trusted for more than a sentence. */
export const VASSAL_EXIT = {
  drained: 0,
  failed: 1,
  /** The application could not be loaded (uWSGI need-app). */
  failedApp: 22,
  badSpec: 2,
} as const;
