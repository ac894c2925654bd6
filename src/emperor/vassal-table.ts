/** All vassals by name: events go in here one after the other, commands come out, and one timer wakes for all deadlines. */
import type { Clock, Timers } from "../core/clock.ts";
import type { Executors } from "./vassal-commands.ts";
import type { VassalHandle } from "./vassal-handle.ts";
import type { VassalCommand, VassalEvent } from "./vassal-life.ts";
import { nextDeadlineMs } from "./deadline-machine.ts";
import { step } from "./vassal-machine.ts";

/** A timer that comes later than this was held up (the process was stopped): what waits to be read comes first. */
const LATE_MS = 500;

export interface TableDoors {
  readonly clock: Clock;
  readonly timers: Timers;
  /** In [0, 1). */
  random(): number;
  /** After every step, when its commands have been carried out. */
  afterStep(vassal: VassalHandle): void;
}

export class VassalTable {
  readonly #doors: TableDoors;
  readonly #vassals = new Map<string, VassalHandle>();
  readonly #queue: { readonly name: string; readonly event: VassalEvent }[] = [];
  #executors: Executors | undefined;
  #stepping = false;
  #cancelTimer: (() => void) | undefined;
  #timerAtMs: number | undefined;

  constructor(doors: TableDoors) {
    this.#doors = doors;
  }

  /** Executors dispatch in turn, so they come after the table. */
  use(executors: Executors): void {
    this.#executors = executors;
  }

  get(name: string): VassalHandle | undefined {
    return this.#vassals.get(name);
  }

  all(): readonly VassalHandle[] {
    return [...this.#vassals.values()];
  }

  add(vassal: VassalHandle): void {
    this.#vassals.set(vassal.name, vassal);
  }

  remove(name: string): void {
    this.#vassals.delete(name);
  }

  /** Events of executors wait until the step that caused them is complete. */
  dispatch(name: string, event: VassalEvent): void {
    this.#queue.push({ name, event });
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        this.#step(next.name, next.event);
      }
    } finally {
      this.#stepping = false;
    }
    this.#arm();
  }

  close(): void {
    this.#cancelTimer?.();
  }

  #step(name: string, event: VassalEvent): void {
    const vassal = this.#vassals.get(name);
    if (vassal === undefined) return;
    const { clock } = this.#doors;
    const context = { nowMs: clock.nowMs(), wallMs: clock.wallMs(), random: this.#doors.random() };
    const { life, commands } = step(vassal.life, event, context);
    if (life.phase !== vassal.life.phase) {
      vassal.stoppingSinceMs = life.phase === "stopping" ? context.wallMs : 0;
    }
    vassal.life = life;
    vassal.deadlineMs = nextDeadlineMs(life);
    for (const command of commands) this.#execute(vassal, command);
    this.#doors.afterStep(vassal);
  }

  #execute(vassal: VassalHandle, command: VassalCommand): void {
    // Complete by type; only the pairing of name and command is beyond what the compiler follows.
    const execute = this.#executors?.[command.type] as
      | ((vassal: VassalHandle, command: VassalCommand) => void)
      | undefined;
    execute?.(vassal, command);
  }

  /** The next wake-up is the minimum of all deadlines. */
  #arm(): void {
    let atMs: number | undefined;
    for (const { deadlineMs } of this.#vassals.values()) {
      if (deadlineMs !== undefined && (atMs === undefined || deadlineMs < atMs)) atMs = deadlineMs;
    }
    if (atMs === this.#timerAtMs) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#timerAtMs = atMs;
    if (atMs === undefined) return;
    const delayMs = Math.max(0, Math.ceil(atMs - this.#doors.clock.nowMs()));
    this.#cancelTimer = this.#doors.timers.after(delayMs, () => this.#wake());
  }

  #wake(): void {
    const nowMs = this.#doors.clock.nowMs();
    if (this.#timerAtMs !== undefined && nowMs - this.#timerAtMs > LATE_MS) {
      this.#timerAtMs = nowMs + LATE_MS / 2;
      this.#cancelTimer = this.#doors.timers.after(LATE_MS / 2, () => this.#wake());
      return;
    }
    this.#timerAtMs = undefined;
    for (const vassal of this.#vassals.values()) {
      if (vassal.deadlineMs !== undefined && vassal.deadlineMs <= nowMs) {
        this.dispatch(vassal.name, { type: "deadlineReached" });
      }
    }
    this.#arm();
  }
}
