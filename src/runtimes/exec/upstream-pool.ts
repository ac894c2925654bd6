/** Connections to one worker: idle ones are used again, the youngest first, and not for long. */
import type { Clock, Timers } from "../../core/clock.ts";
import { UpstreamConnection } from "./upstream-connection.ts";

/**
 * Shorter than any server's own keep-alive time (gunicorn's is 2 s), so that it is seldom the program who closes; under
 * load connections never get that old, and without load a new one costs 50 µs.
 */
const IDLE_MS = 1500;
const MOST_IDLE = 256;

export class UpstreamPool {
  readonly #host: string;
  readonly #port: number;
  readonly #clock: Clock;
  readonly #timers: Timers;
  /** Oldest first. */
  readonly #idle: UpstreamConnection[] = [];
  #sweeping = false;

  constructor(
    address: { readonly host: string; readonly port: number },
    clock: Clock,
    timers: Timers,
  ) {
    this.#host = address.host;
    this.#port = address.port;
    this.#clock = clock;
    this.#timers = timers;
  }

  /** An idle connection, or a new one when there is none or `fresh` is asked for. */
  acquire(fresh: boolean): UpstreamConnection {
    const idle = fresh ? undefined : this.#takeIdle();
    return idle ?? new UpstreamConnection(this.#host, this.#port, (gone) => this.#forget(gone));
  }

  /** Takes a detached connection back, or closes it when it cannot be used again. */
  release(connection: UpstreamConnection): void {
    if (!connection.usable || this.#idle.length >= MOST_IDLE) return connection.destroy();
    connection.idleSinceMs = this.#clock.nowMs();
    this.#idle.push(connection);
    this.#sweepLater();
    return undefined;
  }

  closeIdle(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  #takeIdle(): UpstreamConnection | undefined {
    for (let each = this.#idle.pop(); each !== undefined; each = this.#idle.pop()) {
      if (each.usable) return each;
      each.destroy();
    }
    return undefined;
  }

  #forget(connection: UpstreamConnection): void {
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  #sweepLater(): void {
    if (this.#sweeping) return;
    this.#sweeping = true;
    this.#timers.after(IDLE_MS, () => {
      this.#sweeping = false;
      const oldestMs = this.#clock.nowMs() - IDLE_MS;
      while ((this.#idle[0]?.idleSinceMs ?? Infinity) <= oldestMs) this.#idle.shift()?.destroy();
      if (this.#idle.length > 0) this.#sweepLater();
    });
  }
}
