/** One worker process of a pool: performs what its machine decides, with one timer. */
import type { Clock, Timers } from "../../core/clock.ts";
import {
  stepWorker,
  type WorkerCommand,
  type WorkerInput,
  type WorkerPhase,
} from "./worker-machine.ts";
import type { RecycleLimits } from "./recycle-policy.ts";
import type { WorkerProcess, WorkerSource } from "./worker-source.ts";

export interface ExitFact {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

/** What a member needs from its pool. */
export interface MemberHost {
  readonly source: WorkerSource;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly readyTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly termTimeoutMs: number;
  ready(member: Member): void;
  gone(member: Member): void;
  slowStart(member: Member): void;
  stuck(member: Member): void;
}

export class Member {
  readonly id: number;
  readonly limits: RecycleLimits;
  readonly process: WorkerProcess;
  readonly startedAtMs: number;
  readonly startedWallMs: number;
  phase: WorkerPhase = "starting";
  /** When it became ready; undefined before. */
  readyAtMs: number | undefined;
  exit: ExitFact = { code: undefined, signal: undefined };
  rssBytes = 0;
  /** Its end was asked for: why, and how long it may still take once its replacement is ready (0 = kill at once). */
  fate: { readonly reason: string; readonly graceMs: number } | undefined;
  readonly #host: MemberHost;
  #cancelTimer: (() => void) | undefined;

  constructor(id: number, limits: RecycleLimits, host: MemberHost) {
    this.id = id;
    this.limits = limits;
    this.#host = host;
    this.startedAtMs = host.clock.nowMs();
    this.startedWallMs = host.clock.wallMs();
    this.#arm(host.readyTimeoutMs);
    this.process = host.source.spawn(id, {
      ready: () => this.input("ready"),
      exited: (how) => {
        this.exit = how;
        this.input("exited");
      },
    });
  }

  input(input: WorkerInput): void {
    const { phase, commands } = stepWorker(this.phase, input);
    this.phase = phase;
    for (const command of commands) this.#perform[command]();
  }

  readonly #perform: { readonly [C in WorkerCommand]: () => void } = {
    retire: () => this.process.retire(),
    sendTerm: () => this.process.kill("SIGTERM"),
    sendKill: () => this.process.kill("SIGKILL"),
    armRetire: () => this.#arm(this.fate?.graceMs ?? this.#host.drainTimeoutMs),
    armTerm: () => this.#arm(this.#host.termTimeoutMs),
    disarm: () => this.#cancelTimer?.(),
    reportReady: () => {
      this.readyAtMs = this.#host.clock.nowMs();
      this.#host.ready(this);
    },
    reportSlowStart: () => this.#host.slowStart(this),
    reportStuck: () => this.#host.stuck(this),
    reportGone: () => this.#host.gone(this),
  };

  #arm(delayMs: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#host.timers.after(delayMs, () => this.input("timeout"));
  }
}
