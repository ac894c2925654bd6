/** The emperor's view of one vassal: its life as the machine sees it, and the handles of its processes. */
import type { ToVassal, TrafficCounters, WorkerSnapshot } from "../ipc/link.ts";
import { NO_TRAFFIC } from "../ipc/link.ts";
import type { DeployReceipt } from "../stats/emperor-snapshot.ts";
import type { Link } from "./link-server.ts";
import type { Child } from "./ports.ts";
import type { RunningGeneration } from "./running-records.ts";
import type { VassalLife } from "./vassal-life.ts";

/** One process generation from outside. */
export class GenerationHandle {
  readonly number: number;
  /** Secret that the vassal shows on its channel. */
  readonly token: string;
  child: Child | undefined;
  link: Link | undefined;
  /** Removes its scratch folder. */
  dispose: () => void = () => undefined;
  /** Who it runs as; the emperor's own ids when the vassal file says nothing. */
  uid: number | undefined;
  gid: number | undefined;
  release = "";
  directory = "";
  logFile = "";
  /** Size of the log when it began: what it wrote comes after. */
  logFromBytes = 0;
  /** What it said it died of. */
  failureLines: readonly string[] = [];
  counters: TrafficCounters = NO_TRAFFIC;
  workers: readonly WorkerSnapshot[] = [];
  healthy = false;
  heartbeatAtMs = 0;
  record: RunningGeneration | undefined;
  #unsent: ToVassal[] = [];
  #reported = new Set<() => void>();

  constructor(number: number, token: string) {
    this.number = number;
    this.token = token;
  }

  /** Kept until there is a channel: a vassal that has lost it dials again. */
  tell(message: ToVassal): void {
    if (this.link === undefined) this.#unsent.push(message);
    else this.link.send(message);
  }

  /** Asks for a heartbeat; resolves when one has come, or there is nobody to ask. */
  askReport(): Promise<void> {
    const { link } = this;
    if (link === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#reported.add(resolve);
      link.send({ type: "report" });
    });
  }

  /** A heartbeat has come, or none will. */
  noteReported(): void {
    const waiting = this.#reported;
    this.#reported = new Set();
    for (const resolve of waiting) resolve();
  }

  attach(link: Link): void {
    this.link?.close();
    this.link = link;
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const message of unsent) link.send(message);
  }

  detach(link: Link): void {
    if (this.link !== link) return;
    this.link = undefined;
    this.noteReported();
  }
}

export class VassalHandle {
  readonly name: string;
  file: string;
  life: VassalLife;
  readonly generations = new Map<number, GenerationHandle>();
  /** What is odd about the file that was seen last, and the hash of the content it was said about. */
  warnings: readonly string[] = [];
  warnedHash = "";
  lastReceipt: DeployReceipt | null;
  lastLines: readonly string[] = [];
  /** Wall clock, 0 = never; for uWSGI's statistics. */
  readonly firstSeenMs: number;
  lastChangeMs = 0;
  lastReadyMs = 0;
  lastAcceptingMs = 0;
  lastLoyalMs = 0;
  lastSpawnMs = 0;
  stoppingSinceMs = 0;
  /** Monotonic; when the machine wants to hear of time passing. */
  deadlineMs: number | undefined;

  constructor(
    life: VassalLife,
    facts: {
      readonly file: string;
      readonly seenMs: number;
      readonly lastReceipt: DeployReceipt | null;
    },
  ) {
    this.name = life.name;
    this.life = life;
    this.file = facts.file;
    this.firstSeenMs = facts.seenMs;
    this.lastChangeMs = facts.seenMs;
    this.lastReceipt = facts.lastReceipt;
  }

  generation(number: number | undefined): GenerationHandle | undefined {
    return number === undefined ? undefined : this.generations.get(number);
  }
}
