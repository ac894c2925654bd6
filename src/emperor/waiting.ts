/** Callers that wait until the newest deploy of a vassal is decided. */
import type { WaitResult } from "./control.ts";
import type { VassalHandle } from "./vassal-handle.ts";
import { verdictOf } from "./vassal-verdict.ts";

export class Waiting {
  readonly #nowMs: () => number;
  readonly #checks = new Map<string, Set<() => void>>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** After a step: somebody may have waited for it. */
  recheck(name: string): void {
    for (const check of this.#checks.get(name) ?? []) check();
  }

  /** Rejects with the reason of the signal when that comes first. */
  until(vassal: VassalHandle, signal: AbortSignal): Promise<WaitResult> {
    const { name } = vassal;
    return new Promise((resolve, reject) => {
      const checks = this.#checks.get(name) ?? new Set();
      this.#checks.set(name, checks);
      const leave = (): void => {
        checks.delete(check);
        if (checks.size === 0) this.#checks.delete(name);
        signal.removeEventListener("abort", abort);
      };
      const check = (): void => {
        const verdict = verdictOf(vassal.life, this.#nowMs());
        if (verdict === undefined) return;
        leave();
        const lastLines = verdict.ok ? [] : vassal.lastLines;
        const { warnings, lastReceipt } = vassal;
        resolve({ name, ...verdict, lastLines, warnings, receipt: lastReceipt });
      };
      const abort = (): void => {
        leave();
        reject(signal.reason as Error);
      };
      checks.add(check);
      signal.addEventListener("abort", abort, { once: true });
      if (signal.aborted) abort();
      else check();
    });
  }
}
