/** Asks the application whether it is well, the way a client would: before the generation is ready, and from then on. */
import type { Handler } from "../server/exchange.ts";
import { ProbeExchange } from "./probe-exchange.ts";

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 1000;
const INTERVAL_MS = 10_000;
const ANSWER_WITHIN_MS = 5000;
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
    for (let delayMs = FIRST_RETRY_MS; !this.#stopped; delayMs *= 2) {
      const answer = await this.#ask();
      if (isGood(answer)) break;
      this.#onChange(false, `health ${this.#path} answered ${answer}: waiting`);
      await pause(Math.min(delayMs, LONGEST_RETRY_MS));
    }
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
    this.#judge(await this.#ask());
    this.#watch();
  }

  #judge(answer: string): void {
    this.#failures = isGood(answer) ? 0 : this.#failures + 1;
    const healthy = this.#failures < UNHEALTHY_AFTER;
    if (healthy === this.healthy) return;
    this.healthy = healthy;
    this.#onChange(healthy, `health ${this.#path} answered ${answer}`);
  }

  /** The status, or why there is none. */
  #ask(): Promise<string> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        resolve("nothing in time");
        exchange.abandon();
      }, ANSWER_WITHIN_MS);
      const exchange = new ProbeExchange(this.#path, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      try {
        this.#handle(exchange);
      } catch (error) {
        exchange.fail(500, String(error));
      }
    });
  }
}

function isGood(answer: string): boolean {
  return /^[23]\d\d$/.test(answer);
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}
