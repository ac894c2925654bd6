/**
 * SIGTERM and SIGINT of a worker belong to the drain. Handlers of the application are held back until it is over, so
 * that `process.on("SIGTERM", () => process.exit())` cuts nobody off.
 */

const HELD = ["SIGTERM", "SIGINT"] as const;
type HeldSignal = (typeof HELD)[number];
type Listener = (...values: unknown[]) => void;

export class HeldSignals {
  readonly #listeners: Listener[] = [];
  readonly #own = new Set<unknown>();

  /** `onTerm` is called for every SIGTERM; SIGINT reaches whole process groups and is for the vassal process to judge. */
  constructor(onTerm: () => void) {
    const ignore = (): void => undefined;
    this.#own.add(onTerm).add(ignore);
    process.on("SIGTERM", onTerm);
    process.on("SIGINT", ignore);
    process.on("newListener", (name: string, listener: Listener) => this.#added(name, listener));
  }

  /** Lets the application's SIGTERM handlers run, as at the end of any program; false when it has none. */
  release(): boolean {
    const listeners = this.#listeners.splice(0);
    for (const listener of listeners) listener("SIGTERM", 15);
    return listeners.length > 0;
  }

  #added(name: string, listener: Listener): void {
    if (!HELD.includes(name as HeldSignal) || this.#own.has(listener)) return;
    // The event comes before the listener is there.
    queueMicrotask(() => {
      process.removeListener(name, listener);
    });
    if (name === "SIGTERM") this.#listeners.push(listener);
  }
}
