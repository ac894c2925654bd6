/** Work that fetch handlers have left behind with `waitUntil`: a drain waits for it. */

export class Stragglers {
  readonly #open = new Set<Promise<unknown>>();

  add(promise: Promise<unknown>, report: (error: unknown) => void): void {
    const tracked = Promise.resolve(promise)
      .catch(report)
      .finally(() => this.#open.delete(tracked));
    this.#open.add(tracked);
  }

  /** Resolves when none is left, at the latest after `timeoutMs`. */
  async settled(timeoutMs: number): Promise<void> {
    if (this.#open.size === 0 || timeoutMs <= 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    await Promise.race([Promise.all(this.#open), promise]);
    clearTimeout(timer);
  }
}
