/** An EmperorControl without an emperor, for tests of the sockets in front of it. Remembers what it was asked. */
import { TsgiError } from "../../src/core/errors.ts";
import type { CommandResult, EmperorControl, WaitResult } from "../../src/emperor/control.ts";
import type { JournalEvent, VassalSnapshot } from "../../src/stats/emperor-snapshot.ts";
import { sampleSnapshot, sampleVassal } from "./sample-snapshot.ts";

export class FakeControl implements EmperorControl {
  vassals: readonly VassalSnapshot[] = [sampleVassal(), sampleVassal({ name: "shop" })];
  readonly asked: string[] = [];
  refreshed = 0;
  /** Names whose wait never ends by itself. */
  readonly hanging = new Set<string>();
  readonly failing = new Set<string>();
  readonly owners = new Map<string, number>();
  readonly journal: JournalEvent[] = [];
  readonly #listeners = new Set<(event: JournalEvent) => void>();

  refresh(): Promise<void> {
    this.refreshed += 1;
    return Promise.resolve();
  }

  snapshot(): ReturnType<EmperorControl["snapshot"]> {
    return sampleSnapshot(this.vassals, { refused: [{ file: "/v/secret.yaml", reason: "bad" }] });
  }

  select(patterns: readonly string[]): readonly string[] {
    const names = this.vassals.map(({ name }) => name);
    const found = patterns.flatMap((each) =>
      each === "*" ? names : names.filter((name) => name === each),
    );
    if (found.length > 0) return found;
    throw new TsgiError("TSGI_UNKNOWN_VASSAL", `Cannot find vassal "${patterns.join()}"`);
  }

  mayCommand(uid: number, name: string): boolean {
    return this.owners.get(name) === uid;
  }

  command(verb: string, name: string, by: { uid: number }): CommandResult {
    this.asked.push(`${verb} ${name} ${by.uid}`);
    const ok = !this.failing.has(name);
    return { name, ok, message: ok ? `vassal ${name} ${verb}s` : `Cannot ${verb}` };
  }

  wait(name: string, signal: AbortSignal): Promise<WaitResult> {
    this.asked.push(`wait ${name}`);
    if (!this.hanging.has(name)) {
      const ok = !this.failing.has(name);
      const message = ok ? "generation 3 is live" : "it exited with code 22";
      return Promise.resolve({
        name,
        ok,
        message,
        lastLines: ok ? [] : ["Traceback"],
        warnings: [],
        receipt: null,
      });
    }
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        this.asked.push(`aborted ${name}`);
        reject(new Error("aborted"));
      });
    });
  }

  rescan(): Promise<void> {
    this.asked.push("rescan");
    return Promise.resolve();
  }

  recentEvents(count: number): readonly JournalEvent[] {
    return count === 0 ? [] : this.journal.slice(-count);
  }

  onEvent(listener: (event: JournalEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  tell(message: string, vassal?: string): void {
    const seq = this.journal.length + 1;
    const event = { seq, atMs: 0, kind: "test", message, ...(vassal !== undefined && { vassal }) };
    this.journal.push(event);
    for (const listener of this.#listeners) listener(event);
  }

  shutdown(reason: string): Promise<void> {
    this.asked.push(`shutdown ${reason}`);
    return Promise.resolve();
  }

  statsDocument(): Readonly<Record<string, unknown>> {
    return { version: "0.1.0", vassals: this.vassals.map(({ name }) => ({ id: `${name}.yaml` })) };
  }
}
