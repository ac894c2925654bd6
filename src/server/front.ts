/** The HTTP front: inherited listening sockets to exchanges for one handler, with a connection cap and a loss-free drain. */
import { readFileSync } from "node:fs";
import type { HttpLimits, ListenAddress, RequestLogFormat } from "../config/vassal-config.ts";
import type { TrafficCounters } from "../ipc/link.ts";
import { connectionCap } from "./connection-cap-policy.ts";
import type { Handler } from "./exchange.ts";
import { FrontShared, KEEP_ALIVE_GRACE_MS } from "./front-shared.ts";
import { Http1Connection } from "./http1-connection.ts";
import { Listener } from "./listener.ts";
import { createRequestLog } from "./request-log.ts";

/** Node fires longer timers at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** A front at its cap goes in and out of it: said once in a while only. */
const FULL_REPORT_MS = 60_000;

export interface FrontOptions {
  readonly fds: readonly { readonly fd: number; readonly address: ListenAddress }[];
  readonly limits: HttpLimits;
  readonly handler: Handler;
  readonly requestLog: RequestLogFormat;
  /** One finished request-log line without its newline. */
  readonly writeLog: (line: string) => void;
  /** For operators: handler exceptions, accept errors. */
  readonly onFault: (message: string) => void;
}

export class Front {
  readonly #shared: FrontShared;
  readonly #listeners: readonly Listener[];
  readonly #cap: number;
  #isFull = false;
  #nextReportTick = 0;
  #isOver = false;
  #draining: Promise<void> | undefined;
  #drained: (() => void) | undefined;

  constructor(options: FrontOptions) {
    const { limits, handler, onFault, requestLog, writeLog } = options;
    this.#shared = new FrontShared(
      limits,
      handler,
      onFault,
      createRequestLog(requestLog, writeLog),
    );
    this.#shared.onCount = (count) => this.#counted(count);
    this.#cap = connectionCap(limits.maxConnections, openFilesLimit());
    this.#listeners = options.fds.map(
      ({ fd, address }) =>
        new Listener(
          fd,
          (socket) => void new Http1Connection(socket, this.#shared),
          (error) => onFault(`Cannot accept on ${address.text}: ${error.message}`),
        ),
    );
  }

  /** Starts accepting; resolves when every socket is being watched. */
  async serve(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.listen()));
  }

  /**
   * Stops accepting (then calls `released`), tells every client to close with its next answer, and leaves idle connections open for
   * as long as they were promised, so that no request on its way is lost. Resolves at the last connection's end, at
   * the latest after `timeoutMs`, when the rest is cut.
   */
  drain(timeoutMs: number, released: () => void): Promise<void> {
    this.#draining ??= this.#drain(timeoutMs, released);
    return this.#draining;
  }

  async #drain(timeoutMs: number, released: () => void): Promise<void> {
    this.#shared.draining = true;
    this.#closeListeners();
    released();
    if (this.#shared.connections.size === 0) return;
    const grace = this.#shared.limits.keepAliveMs + KEEP_ALIVE_GRACE_MS;
    const sweep = setTimeout(() => this.#closeIdle(), Math.min(grace, TIMER_MAX_MS));
    const limit = setTimeout(() => this.#destroyAll(), Math.min(timeoutMs, TIMER_MAX_MS));
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    clearTimeout(sweep);
    clearTimeout(limit);
  }

  /** Ends everything at once. */
  stop(): void {
    this.#shared.draining = true;
    this.#closeListeners();
    this.#destroyAll();
  }

  counters(): TrafficCounters {
    return { ...this.#shared.counters };
  }

  #counted(count: number): void {
    if (count >= this.#cap) this.#setFull(true);
    // Some room first: pausing and resuming for every single connection at the cap would be work for nothing.
    else if (this.#isFull && count <= this.#cap - Math.ceil(this.#cap / 16)) this.#setFull(false);
    if (count === 0) this.#drained?.();
  }

  #setFull(full: boolean): void {
    if (full === this.#isFull || this.#isOver) return;
    this.#isFull = full;
    for (const listener of this.#listeners) listener.setPaused(full);
    if (full && this.#isReportDue()) {
      this.#shared.onFault(
        `Cannot accept more connections: ${this.#cap} are open, further ones wait in the kernel`,
      );
    }
  }

  #isReportDue(): boolean {
    const { tick, tickMs } = this.#shared;
    if (tick < this.#nextReportTick) return false;
    this.#nextReportTick = tick + Math.ceil(FULL_REPORT_MS / tickMs);
    return true;
  }

  #closeListeners(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const listener of this.#listeners) listener.close();
  }

  #closeIdle(): void {
    for (const connection of this.#shared.connections) connection.closeIfIdle();
  }

  #destroyAll(): void {
    for (const connection of this.#shared.connections) connection.destroy();
  }
}

/** The soft limit of open descriptors (Node raises it to the hard one at its start); unlimited where it cannot be read. */
function openFilesLimit(): number {
  let text: string;
  try {
    text = readFileSync("/proc/self/limits", "latin1");
  } catch {
    // No /proc in this sandbox: the configured cap stands alone.
    return Number.POSITIVE_INFINITY;
  }
  const soft = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}
