/** How many requests a worker may hold: as many as it has threads, and more only while its service times are short. */

/** What is known of one worker; times are monotonic milliseconds. */
export interface WorkerLoad {
  readonly threads: number;
  /** Requests sent and not answered. */
  readonly outstanding: number;
  /** Smoothed time of one request, in milliseconds. */
  readonly serviceMs: number;
  /** Last answer, or when work came to an idle worker. */
  readonly progressAtMs: number;
}

/** Above this a worker gets nothing that it cannot begin at once. */
export const SHORT_SERVICE_MS = 2;
/** A batch that waits in a worker is worth at most so much time. */
const QUEUE_MS = 3;
const DEEPEST = 256;
/** A worker without an answer for so long is running something slow: what it has not begun is taken back. */
export const STALL_MS = 3;
const SMOOTHING = 0.2;
/** One slow request must not make a worker look slow for long. */
const SAMPLE_MAX_MS = 8;

/** Requests that the worker may hold now. */
export function workerCapacity(load: WorkerLoad, nowMs: number): number {
  if (load.serviceMs >= SHORT_SERVICE_MS) return load.threads;
  if (load.outstanding > 0 && nowMs - load.progressAtMs >= STALL_MS) return load.threads;
  const depth = Math.floor((QUEUE_MS * load.threads) / Math.max(load.serviceMs, 0.001));
  return load.threads + Math.min(DEEPEST, depth);
}

/**
 * A request joins a queue while less than this waits in it. With one core another worker cannot run at the same time: it
 * only halves the batches and adds switches between processes (46k against 55k requests a second).
 */
const JOIN_MS_ONE_CORE = 2;
/** With more cores the limit is about what waking another process costs. */
const JOIN_MS = 0.05;

/** How much work, in milliseconds, may wait in a busy worker before an idle one gets the next request. */
export function joinMs(cores: number): number {
  return cores <= 1 ? JOIN_MS_ONE_CORE : JOIN_MS;
}

/** True when `load` is better given to than `best`: fill a busy worker's batch while it is short, then the one with the least to do. */
export function isBetterPlace(load: WorkerLoad, best: WorkerLoad, joinLimitMs: number): boolean {
  const joins = queuedMs(load) < joinLimitMs;
  if (joins !== queuedMs(best) < joinLimitMs) return joins;
  return joins ? load.outstanding > best.outstanding : load.outstanding < best.outstanding;
}

function queuedMs(load: WorkerLoad): number {
  return load.outstanding * load.serviceMs;
}

/** True when requests that have not begun (or answers that wait for their batch) may be stuck behind a slow one. */
export function isStalled(load: WorkerLoad, nowMs: number): boolean {
  return load.outstanding > 1 && nowMs - load.progressAtMs >= STALL_MS;
}

/** The smoothed service time after `answers` came in `elapsedMs` from a worker that had `busyThreads` at work. */
export function smoothService(
  serviceMs: number,
  elapsedMs: number,
  answers: number,
  busyThreads: number,
): number {
  const sample = Math.min(SAMPLE_MAX_MS, (elapsedMs * busyThreads) / answers);
  return serviceMs + SMOOTHING * (sample - serviceMs);
}
