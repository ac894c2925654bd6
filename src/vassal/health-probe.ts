/** Asks the application whether it is well, the way a client would: before the generation is ready, and from then on. */
import type { Handler } from "../server/exchange.ts";
import { probe } from "../server/probe.ts";
import { isWell, probeUntilWell } from "../server/probe-until-well.ts";

const INTERVAL_MS = 10_000;
/** One bad answer may be chance. */
const UNHEALTHY_AFTER = 2;

export class HealthProbe {
  readonly #handle: Handler;
  readonly #path: string;
  readonly #onChange: (healthy: boolean, cause: string) => void;
  #failures = 0;
  #stopped = false;
  healthy = false;

  constructor(options: {
    readonly handle: Handler;
    readonly path: string;
    readonly onChange: (healthy: boolean, cause: string) => void;
  }) {
    this.#handle = options.handle;
    this.#path = options.path;
    this.#onChange = options.onChange;
  }

  /** Resolves at the first good answer; how long that may take is the emperor's `ready-timeout`. */
  async start(): Promise<void> {
    await probeUntilWell(
      () => this.#ask(),
      (answer) => this.#onChange(false, `health ${this.#path} answered ${answer}: waiting`),
    );
    this.healthy = !this.#stopped;
    this.#watch();
  }

  stop(): void {
    this.#stopped = true;
  }

  #watch(): void {
    if (this.#stopped) return;
    setTimeout(() => void this.#look(), INTERVAL_MS).unref();
  }

  async #look(): Promise<void> {
    const answer = await this.#ask();
    if (answer !== undefined) this.#judge(answer);
    this.#watch();
  }

  #judge(answer: string): void {
    this.#failures = isWell(answer) ? 0 : this.#failures + 1;
    const healthy = this.#failures < UNHEALTHY_AFTER;
    if (healthy === this.healthy) return;
    this.healthy = healthy;
    this.#onChange(healthy, `health ${this.#path} answered ${answer}`);
  }

  /** The status, or why there is none; undefined once nobody wants to know. */
  async #ask(): Promise<string | undefined> {
    if (this.#stopped) return undefined;
    return new Promise((resolve) => probe(this.#path, this.#handle, resolve));
  }
}
