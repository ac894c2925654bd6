/** What a worker's main thread and its watchdog thread share: a few numbers and the text of the present request. */

export interface WatchdogData {
  readonly role: "tsgi-watchdog";
  readonly memory: SharedArrayBuffer;
  readonly deadlineMs: number;
  readonly workerId: number;
  /** The worker program, whose frames are of no use in a stack. */
  readonly program: string;
}

const NUMBERS = 4;
const TEXT_MAX = 600;
const WORDS_AT = NUMBERS * 8;
const TEXT_AT = WORDS_AT + 8;

/** Times are milliseconds since the epoch on the monotonic clock: `performance.timeOrigin + performance.now()`. */
export class WatchdogMemory {
  readonly buffer: SharedArrayBuffer;
  readonly #numbers: Float64Array;
  readonly #words: Int32Array;
  readonly #text: Buffer;

  constructor(buffer = new SharedArrayBuffer(TEXT_AT + TEXT_MAX)) {
    this.buffer = buffer;
    this.#numbers = new Float64Array(buffer, 0, NUMBERS);
    this.#words = new Int32Array(buffer, WORDS_AT, 2);
    this.#text = Buffer.from(buffer, TEXT_AT, TEXT_MAX);
  }

  /** The main thread runs its event loop: now, with the oldest request due then (0: none under way). */
  beat(nowMs: number, oldestDueMs: number): void {
    this.#numbers[0] = nowMs;
    this.#numbers[1] = oldestDueMs;
  }

  /** The main thread enters a request's handler. */
  enter(dueMs: number, fd: number, text: string): void {
    this.#numbers[2] = dueMs;
    this.#numbers[3] = fd;
    this.#words[1] = this.#text.write(text.slice(0, TEXT_MAX), "latin1");
  }

  leave(): void {
    this.#numbers[2] = 0;
  }

  /** Wakes the watchdog, or lets it sleep while nothing is under way. */
  set active(active: boolean) {
    Atomics.store(this.#words, 0, active ? 1 : 0);
    if (active) Atomics.notify(this.#words, 0);
  }

  get active(): boolean {
    return Atomics.load(this.#words, 0) === 1;
  }

  /** Resolves when `active` becomes true. */
  async whenActive(): Promise<void> {
    const waiting = Atomics.waitAsync(this.#words, 0, 0);
    if (waiting.async) await waiting.value;
  }

  read(): {
    readonly beatMs: number;
    readonly oldestDueMs: number;
    readonly currentDueMs: number;
    readonly currentFd: number;
    readonly currentText: string;
  } {
    const [beatMs = 0, oldestDueMs = 0, currentDueMs = 0, currentFd = -1] = this.#numbers;
    const currentText = this.#text.toString("latin1", 0, this.#words[1] ?? 0);
    return { beatMs, oldestDueMs, currentDueMs, currentFd, currentText };
  }
}

export function monotonicMs(): number {
  return performance.timeOrigin + performance.now();
}
