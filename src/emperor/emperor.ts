/** The Emperor: begins, ends, and answers what can be asked of it; its parts do the work. */
import { mkdirSync } from "node:fs";
import { VERSION } from "../core/version.ts";
import type { EmperorSnapshot, JournalEvent } from "../stats/emperor-snapshot.ts";
import { answerCommand } from "./command-answers.ts";
import type {
  Commander,
  CommandResult,
  CommandVerb,
  EmperorControl,
  WaitResult,
} from "./control.ts";
import type { EmperorDeps } from "./emperor-deps.ts";
import { createParts } from "./emperor-parts.ts";
import type { EmperorParts } from "./emperor-parts.ts";
import { endLeftovers } from "./leftovers.ts";

/** A scan answers after this long, even while somebody is still writing a file. */
const RESCAN_MAX_MS = 1500;

export function createEmperor(deps: EmperorDeps): Emperor {
  return new Emperor(deps);
}

export class Emperor implements EmperorControl {
  readonly #deps: EmperorDeps;
  readonly #parts: EmperorParts;
  readonly #begun = Promise.withResolvers<void>();
  #emptied: (() => void) | undefined;
  #down: Promise<void> | undefined;

  constructor(deps: EmperorDeps) {
    this.#deps = deps;
    this.#parts = createParts(deps, () => this.#emptied?.());
  }

  /** Resolves when the first look at the vassal folders has been acted on. */
  async start(): Promise<void> {
    const { runtimeDir, stateDir } = this.#deps.settings;
    mkdirSync(runtimeDir, { recursive: true, mode: 0o755 });
    await this.#parts.links.start();
    this.#parts.journal.add({
      kind: "started",
      pid: this.#deps.self.pid,
      message: `*** Starting tsgi Emperor ${VERSION} (pid ${this.#deps.self.pid}), state in ${stateDir} ***`,
    });
    await endLeftovers(this.#parts.records, {
      timers: this.#deps.timers,
      journal: this.#parts.journal,
    });
    if (this.#down === undefined) await this.#parts.monitor.start();
    this.#begun.resolve();
  }

  shutdown(reason: string): Promise<void> {
    if (this.#down === undefined) {
      this.#parts.journal.add({ kind: "shutdown", message: `The Emperor shuts down: ${reason}` });
      this.#down = this.#ragnarok();
    } else {
      this.#parts.journal.add({
        kind: "shutdown",
        message: `The Emperor is in a hurry: ${reason}`,
      });
      for (const { name } of this.#parts.table.all())
        this.#parts.table.dispatch(name, { type: "hurryAsked" });
    }
    return this.#down;
  }

  async #ragnarok(): Promise<void> {
    await this.#begun.promise;
    await this.#parts.monitor.close();
    const empty = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    for (const { name } of this.#parts.table.all())
      this.#parts.table.dispatch(name, { type: "shutdownAsked" });
    if (this.#parts.table.all().length > 0) await empty;
    this.#parts.usage.close();
    this.#parts.queue.close();
    this.#parts.table.close();
    this.#parts.registry.closeAll();
    await this.#parts.links.close();
    this.#parts.journal.add({ kind: "buried", message: "The Emperor is buried." });
    this.#parts.journal.flush();
  }

  refresh(): Promise<void> {
    return this.#parts.reports.refresh();
  }

  snapshot(): EmperorSnapshot {
    return this.#parts.view.snapshot();
  }

  statsDocument(): Readonly<Record<string, unknown>> {
    return this.#parts.view.statsDocument();
  }

  select(patterns: readonly string[]): readonly string[] {
    return this.#parts.view.select(patterns);
  }

  mayCommand(uid: number, name: string): boolean {
    return this.#parts.view.mayCommand(uid, name);
  }

  command(verb: CommandVerb, name: string, by: Commander): CommandResult {
    const vassal = this.#parts.table.get(name);
    if (vassal === undefined || this.#down !== undefined) {
      const state = this.#down === undefined ? "there is no such vassal" : "the emperor shuts down";
      return { name, ok: false, message: `Cannot ${verb} vassal "${name}": ${state}` };
    }
    const { event, message } = answerCommand(verb, vassal.life);
    if (event === undefined) return { name, ok: false, message };
    this.#parts.journal.add({
      kind: "command",
      vassal: name,
      pid: by.pid,
      message: `${verb} of vassal ${name} was commanded by uid ${by.uid}, pid ${by.pid}`,
    });
    this.#parts.table.dispatch(name, event);
    return { name, ok: true, message: `vassal ${name} ${message}` };
  }

  async wait(name: string, signal: AbortSignal): Promise<WaitResult> {
    await this.#begun.promise;
    await this.#parts.monitor.look(name);
    const vassal = this.#parts.table.get(name);
    if (vassal === undefined) {
      return {
        name,
        ok: false,
        message: `vassal ${name} has been removed`,
        lastLines: [],
        warnings: [],
        receipt: this.#parts.receipts.last(name),
      };
    }
    return this.#parts.waiting.until(vassal, signal);
  }

  async rescan(): Promise<void> {
    await this.#begun.promise;
    const patience = Promise.withResolvers<void>();
    const cancel = this.#deps.timers.after(RESCAN_MAX_MS, patience.resolve);
    await Promise.race([this.#parts.monitor.look(), patience.promise]);
    cancel();
  }

  recentEvents(count: number): readonly JournalEvent[] {
    return this.#parts.journal.recent(count);
  }

  onEvent(listener: (event: JournalEvent) => void): () => void {
    return this.#parts.journal.onEvent(listener);
  }
}
