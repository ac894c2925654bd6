/** What the worker pool needs from a language: how to start one worker and what a worker tells about itself. */

/** Facts about a worker process, told by its source. `exited` comes exactly once, last. */
export interface WorkerEvents {
  /** Loaded and able to take work. */
  ready(): void;
  exited(how: { readonly code: number | undefined; readonly signal: string | undefined }): void;
}

/** A running worker, seen from the vassal process. */
export interface WorkerProcess {
  readonly pid: number;
  /** Requests begun since it was started. */
  requests(): number;
  /** Requests under way. */
  inFlight(): number;
  /** Take no new work, exit when the last request is done. */
  retire(): void;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

export interface WorkerSource {
  /**
   * Starts worker number `id` (1 …; a replacement has the number of the one that it replaces). Must not throw, and
   * tells nothing before it has returned: a worker that cannot be spawned has `exited` a moment later.
   */
  spawn(id: number, events: WorkerEvents): WorkerProcess;
}
