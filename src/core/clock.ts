/** Ports for time: everything that decides gets time from one of these, so that tests and a simulator can drive it. */

export interface Clock {
  /** Monotonic milliseconds; not related to the wall clock. */
  nowMs(): number;
  /** Wall-clock milliseconds since the epoch, for people and receipts only. */
  wallMs(): number;
}

export interface Timers {
  /** Calls `callback` once after `delayMs` (delays above 2^31 ms are honoured). Returns the way to cancel it. */
  after(delayMs: number, callback: () => void): () => void;
}
