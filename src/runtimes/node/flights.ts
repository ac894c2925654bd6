/** The requests under way in a worker: who they are, when they are due, and how they end when the worker does. */
import type { Exchange } from "../../server/exchange.ts";
import { DeadlineItem } from "../deadline-queue.ts";

/** One request under way. An adapter calls `end` once, from the exchange's `onClose`. */
export class Flight extends DeadlineItem {
  readonly exchange: Exchange;
  readonly #flights: Flights;

  constructor(exchange: Exchange, flights: Flights) {
    super();
    this.exchange = exchange;
    this.#flights = flights;
  }

  end(): void {
    this.#flights.remove(this);
  }

  /** "GET /path" for logs. */
  get text(): string {
    const { method, target } = this.exchange.head;
    return `${method} ${target.length > 512 ? `${target.slice(0, 512)}…` : target}`;
  }
}

/** An application: takes an exchange and ends it, in whatever time. Must not throw. */
export type Dispatch = (exchange: Exchange, flight: Flight) => void;

export interface FlightWatch {
  begin(flight: Flight): void;
  end(flight: Flight): void;
}

export class Flights {
  readonly #open = new Set<Flight>();
  readonly #watch: FlightWatch | undefined;
  /** Requests begun since the start of the worker. */
  begun = 0;

  constructor(watch?: FlightWatch) {
    this.#watch = watch;
  }

  get size(): number {
    return this.#open.size;
  }

  begin(exchange: Exchange): Flight {
    const flight = new Flight(exchange, this);
    this.begun += 1;
    this.#open.add(flight);
    this.#watch?.begin(flight);
    return flight;
  }

  remove(flight: Flight): void {
    if (this.#open.delete(flight)) this.#watch?.end(flight);
  }

  oldest(): Flight | undefined {
    return this.#open.values().next().value;
  }

  /** Oldest first. */
  all(): readonly Flight[] {
    return [...this.#open];
  }

  /** Answers every request whose response has not begun with `status`; returns how many there were. */
  failPending(status: number, cause: string): number {
    const pending = this.all().filter(({ exchange }) => !exchange.started && !exchange.done);
    for (const { exchange } of pending) exchange.fail(status, cause);
    return pending.length;
  }
}
