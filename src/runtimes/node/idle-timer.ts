/** The timer behind `setTimeout` of a request or response: fires after a time without any writing. */

export class IdleTimer {
  readonly #expire: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(expire: () => void) {
    this.#expire = expire;
  }

  /** Starts anew with another length; 0 stops it. */
  start(timeoutMs: number): void {
    this.stop();
    if (timeoutMs > 0) this.#timer = setTimeout(this.#expire, timeoutMs).unref();
  }

  touch(): void {
    this.#timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
