/** Who is at the other end of a channel, and what its messages mean for that vassal. */
import { createHash, timingSafeEqual } from "node:crypto";
import { LINK_VERSION } from "../core/version.ts";
import type { Clock } from "../core/clock.ts";
import type { FromVassal } from "../ipc/link.ts";
import type { Journal } from "./journal.ts";
import type { Hello, Link, LinkOwner } from "./link-server.ts";
import type { GenerationHandle, VassalHandle } from "./vassal-handle.ts";
import type { VassalTable } from "./vassal-table.ts";

export interface LinkDoors {
  readonly table: VassalTable;
  readonly journal: Journal;
  readonly clock: Clock;
}

/** The owner of a channel, when the kernel's pid, the name, the generation and the token all fit; undefined turns it away. */
export function identifyVassal(
  doors: LinkDoors,
  hello: Hello,
  peerPid: number,
): LinkOwner | undefined {
  const vassal = doors.table.get(hello.name);
  const handle = vassal?.generation(hello.generation);
  if (vassal === undefined || handle === undefined) return undefined;
  // The pid in the message is a claim; the one of the peer is a fact.
  if (handle.child?.pid !== peerPid || !isSame(hello.token, handle.token)) return undefined;
  if (hello.linkVersion !== LINK_VERSION) return undefined;
  return new VassalLink(doors, vassal, handle);
}

function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

class VassalLink implements LinkOwner {
  readonly #doors: LinkDoors;
  readonly #vassal: VassalHandle;
  readonly #handle: GenerationHandle;

  constructor(doors: LinkDoors, vassal: VassalHandle, handle: GenerationHandle) {
    this.#doors = doors;
    this.#vassal = vassal;
    this.#handle = handle;
  }

  attach(link: Link): void {
    this.#handle.attach(link);
  }

  detach(link: Link): void {
    this.#handle.detach(link);
  }

  broken(reason: string): void {
    this.odd(reason);
    this.#dispatch({ type: "linkBroken", generation: this.#handle.number, reason });
  }

  odd(message: string): void {
    const { name } = this.#vassal;
    const { number, child } = this.#handle;
    const pid = child?.pid ?? 0;
    this.#doors.journal.add({
      kind: "trouble",
      vassal: name,
      generation: number,
      pid,
      message: `vassal ${name}: ${message}`,
    });
  }

  receive(message: Exclude<FromVassal, Hello>): void {
    const generation = this.#handle.number;
    switch (message.type) {
      case "ready":
        return this.#dispatch({ type: "readyReported", generation });
      case "accepting":
        return this.#dispatch({ type: "acceptingReported", generation });
      case "loyal":
        this.#vassal.lastLoyalMs = this.#doors.clock.wallMs();
        return this.#dispatch({ type: "loyalReported", generation });
      case "failed":
        this.#handle.failureLines = message.lines;
        return this.#dispatch({ type: "failedReported", generation, reason: message.reason });
      case "released":
        return this.#dispatch({ type: "releasedReported", generation });
      case "drained":
        this.#handle.counters = message.counters;
        return undefined;
      case "heartbeat":
        this.#handle.counters = message.counters;
        this.#handle.workers = message.workers;
        this.#handle.healthy = message.healthy;
        this.#handle.heartbeatAtMs = this.#doors.clock.wallMs();
        this.#handle.noteReported();
        return undefined;
      case "event": {
        const { kind, message: sentence, pid } = message.event;
        this.#doors.journal.add({
          kind,
          vassal: this.#vassal.name,
          generation,
          message: sentence,
          ...(pid !== undefined && { pid }),
        });
        return undefined;
      }
    }
  }

  #dispatch(event: Parameters<VassalTable["dispatch"]>[1]): void {
    this.#doors.table.dispatch(this.#vassal.name, event);
  }
}
