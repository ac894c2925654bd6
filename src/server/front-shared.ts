/** What all connections of one front share: limits, handler, counters, coarse time and the lines that end every head. */
import type { HttpLimits } from "../config/vassal-config.ts";
import type { TrafficCounters } from "../ipc/link.ts";
import type { Handler } from "./exchange.ts";
import type { WriteEntry } from "./request-log.ts";

/** TrafficCounters while they are being counted. */
export type Counting = { -readonly [Key in keyof TrafficCounters]: TrafficCounters[Key] };

/** A connection as the shared sweep and the flush list see it. */
export interface Tended {
  sweep(tick: number): void;
  flushHeld(): void;
  pumpAgain(): void;
  closeIfIdle(): void;
  destroy(): void;
}

/** An idle connection is kept this much longer than promised, so that a request sent in time still finds it open. */
export const KEEP_ALIVE_GRACE_MS = 1000;
const SERVER_LINE = "Server: tsgi\r\n";

/**
 * Time is counted in ticks of one interval for all connections: no timer and no clock call for a request. The interval
 * runs only while there are connections, so an idle front uses no CPU.
 */
export class FrontShared {
  readonly limits: HttpLimits;
  readonly handler: Handler;
  readonly onFault: (message: string) => void;
  readonly writeEntry: WriteEntry | undefined;
  readonly counters: Counting = {
    connectionsAccepted: 0,
    connectionsOpen: 0,
    requestsServed: 0,
    requestsFailed: 0,
    requestsRefused: 0,
    connectionsReset: 0,
  };
  readonly connections = new Set<Tended>();
  /** Called after each change of the number of connections. */
  onCount: (count: number) => void = () => undefined;
  draining = false;
  tick = 0;
  readonly tickMs: number;
  readonly headTicks: number;
  readonly bodyTicks: number;
  readonly idleTicks: number;
  readonly sendTicks: number;
  readonly lingerTicks: number;
  readonly probeTicks: number;
  readonly #keepLines: string;
  #dateLine = "";
  /** The end of a head for a connection that stays, and for one that closes. */
  keepTail = "";
  closeTail = "";
  #timer: NodeJS.Timeout | undefined;
  #held: Tended[] = [];
  #waiting: Tended[] = [];

  constructor(
    limits: HttpLimits,
    handler: Handler,
    onFault: (message: string) => void,
    writeEntry: WriteEntry | undefined,
  ) {
    this.limits = limits;
    this.handler = handler;
    this.onFault = onFault;
    this.writeEntry = writeEntry;
    const shortest = Math.min(
      limits.headTimeoutMs,
      limits.bodyTimeoutMs,
      limits.keepAliveMs,
      limits.sendTimeoutMs,
    );
    this.tickMs = Math.max(20, Math.min(500, Math.floor(shortest / 4)));
    this.headTicks = this.#ticks(limits.headTimeoutMs);
    this.bodyTicks = this.#ticks(limits.bodyTimeoutMs);
    this.idleTicks = this.#ticks(limits.keepAliveMs + KEEP_ALIVE_GRACE_MS);
    this.sendTicks = this.#ticks(limits.sendTimeoutMs);
    this.lingerTicks = this.#ticks(2000);
    this.probeTicks = this.#ticks(1000);
    const seconds = Math.floor(limits.keepAliveMs / 1000);
    this.#keepLines =
      "Connection: keep-alive\r\n" + (seconds > 0 ? `Keep-Alive: timeout=${seconds}\r\n` : "");
  }

  /** Rounded up, and one more because the present tick has partly passed. */
  #ticks(durationMs: number): number {
    return Math.ceil(durationMs / this.tickMs) + 1;
  }

  add(connection: Tended): void {
    this.connections.add(connection);
    this.counters.connectionsAccepted += 1;
    this.counters.connectionsOpen += 1;
    if (this.#timer === undefined) {
      this.#readClock();
      this.#timer = setInterval(() => this.#sweep(), this.tickMs);
    }
    this.onCount(this.connections.size);
  }

  remove(connection: Tended): void {
    if (!this.connections.delete(connection)) return;
    this.counters.connectionsOpen -= 1;
    if (this.connections.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    this.onCount(this.connections.size);
  }

  /** The end of a head: Date and Server unless the application set them, and what becomes of the connection. */
  tail(keep: boolean, hasDate: boolean, hasServer: boolean): string {
    if (!hasDate && !hasServer) return keep ? this.keepTail : this.closeTail;
    return (
      (hasDate ? "" : this.#dateLine) +
      (hasServer ? "" : SERVER_LINE) +
      (keep ? this.#keepLines : "Connection: close\r\n") +
      "\r\n"
    );
  }

  /** A head waits for its first body bytes, at most until the present callback is over: usually one write takes both. */
  flushSoon(connection: Tended): void {
    if (this.#held.push(connection) === 1) process.nextTick(() => this.#flushHeld());
  }

  /** A connection that had its share of this turn of the event loop goes on in the next. */
  pumpSoon(connection: Tended): void {
    if (this.#waiting.push(connection) === 1) setImmediate(() => this.#pumpWaiting());
  }

  #flushHeld(): void {
    const held = this.#held;
    this.#held = [];
    for (const connection of held) connection.flushHeld();
  }

  #pumpWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const connection of waiting) connection.pumpAgain();
  }

  #sweep(): void {
    this.tick += 1;
    this.#readClock();
    for (const connection of this.connections) connection.sweep(this.tick);
  }

  #readClock(): void {
    const dateLine = `Date: ${new Date().toUTCString()}\r\n`;
    if (dateLine === this.#dateLine) return;
    this.#dateLine = dateLine;
    this.keepTail = `${dateLine}${SERVER_LINE}${this.#keepLines}\r\n`;
    this.closeTail = `${dateLine}${SERVER_LINE}Connection: close\r\n\r\n`;
  }
}
