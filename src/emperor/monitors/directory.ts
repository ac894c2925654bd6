/** The monitor of folders: events only say "look again"; a look compares what is there with what was reported. */
import { realpathSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";
import type { RefusedFile } from "../../stats/emperor-snapshot.ts";
import { FileEntry } from "./file-entry.ts";
import { ListedFolders } from "./listed-folders.ts";
import { LookSchedule } from "./look-schedule.ts";
import type { ImperialMonitor, MonitorDoors, MonitorSettings } from "./monitor.ts";
import { identityOf } from "./sighting.ts";
import { chooseCandidates } from "./vassal-candidates.ts";
import { WatchedFolders } from "./watched-folders.ts";

/** A look gives the loop back after this long. */
const SLICE_MS = 20;
/** Every so many full looks all contents are read, whatever the times say. */
const DEEP_EVERY = 12;

export class DirectoryMonitor implements ImperialMonitor {
  readonly places: readonly string[];
  readonly #doors: MonitorDoors;
  readonly #rescanMs: number;
  readonly #folders: ListedFolders;
  readonly #watched: WatchedFolders;
  readonly #schedule: LookSchedule;
  readonly #entries = new Map<string, FileEntry>();
  #refused: readonly RefusedFile[] = [];
  #lastFullMs = Number.NEGATIVE_INFINITY;
  #fullLooks = 0;

  constructor(settings: MonitorSettings, doors: MonitorDoors) {
    this.#doors = doors;
    this.#rescanMs = settings.rescanMs;
    this.places = [...new Set(settings.folders.map((folder) => resolve(folder)))];
    this.#schedule = new LookSchedule({
      ...doors,
      compare: () => this.#compare(),
      isOpen: (name) => this.#isOpen(name),
    });
    this.#watched = new WatchedFolders(doors, () => this.#schedule.soon());
    this.#folders = new ListedFolders(this.places, 2 * settings.rescanMs, {
      clock: doors.clock,
      trouble: (message) => this.#trouble(message),
      exchanged: (path) => this.#watched.renew(path),
    });
  }

  async start(): Promise<void> {
    this.#watched.keep(this.places);
    await this.#schedule.look();
  }

  look(name?: string): Promise<void> {
    return this.#schedule.until(name);
  }

  refused(): readonly RefusedFile[] {
    return this.#refused;
  }

  async close(): Promise<void> {
    this.#schedule.close();
    await this.#watched.close();
  }

  #isOpen(name: string | undefined): boolean {
    if (name !== undefined) return this.#entries.get(name)?.isOpen ?? false;
    return [...this.#entries.values()].some((entry) => entry.isOpen);
  }

  /** Compares folders with reports; the result says when to compare again. */
  async #compare(): Promise<number> {
    const startMs = this.#doors.clock.nowMs();
    const isFull = startMs - this.#lastFullMs >= this.#rescanMs;
    if (isFull) {
      this.#lastFullMs = startMs;
      this.#fullLooks += 1;
    }
    const deep = isFull && this.#fullLooks % DEEP_EVERY === 0;
    const listing = this.#folders.list();
    const running = new Map([...this.#entries.values()].map((entry) => [entry.name, entry.file]));
    const { files, refused } = chooseCandidates(listing, running);
    const skipped: RefusedFile[] = [];
    const extra = new Set<string>();
    let againInMs = Math.max(1, this.#lastFullMs + this.#rescanMs - startMs);
    let sliceMs = startMs;
    for (const [name, file] of files) {
      againInMs = Math.min(
        againInMs,
        this.#examine(name, file, { full: isFull, deep }, skipped, extra),
      );
      const nowMs = this.#doors.clock.nowMs();
      if (nowMs - sliceMs > SLICE_MS) {
        await breathe();
        sliceMs = this.#doors.clock.nowMs();
      }
      if (this.#schedule.closed) return againInMs;
    }
    for (const entry of this.#entries.values()) {
      if (!files.has(entry.name)) againInMs = Math.min(againInMs, this.#miss(entry));
    }
    this.#announceRefused([...refused, ...skipped]);
    this.#watched.keep([...this.places, ...extra]);
    return againInMs;
  }

  #examine(
    name: string,
    file: string,
    look: { readonly full: boolean; readonly deep: boolean },
    skipped: RefusedFile[],
    extra: Set<string>,
  ): number {
    const identity = identityOf(file);
    const known = this.#entries.get(name);
    if (identity.kind === "absent")
      return known === undefined ? Number.POSITIVE_INFINITY : this.#miss(known);
    if (identity.kind === "other") {
      skipped.push({ file, reason: `Cannot take it as a vassal: it is ${identity.what}` });
      return Number.POSITIVE_INFINITY;
    }
    const entry = known ?? new FileEntry(name, file, this.#doors);
    this.#entries.set(name, entry);
    if (identity.isLink) addTargetFolder(file, extra);
    const againInMs = entry.examine(file, identity, look);
    for (const folder of entry.touchFolders) extra.add(folder);
    return againInMs;
  }

  #miss(entry: FileEntry): number {
    const againInMs = entry.miss(this.#folders.distrustMs(dirname(entry.file)));
    if (againInMs !== undefined) return againInMs;
    this.#entries.delete(entry.name);
    return Number.POSITIVE_INFINITY;
  }

  #announceRefused(refused: readonly RefusedFile[]): void {
    const before = new Set(this.#refused.map(({ file, reason }) => `${file}\n${reason}`));
    for (const { file, reason } of refused) {
      if (!before.has(`${file}\n${reason}`))
        this.#trouble(`The file "${file}" is refused: ${reason}`);
    }
    this.#refused = refused;
  }

  #trouble(message: string): void {
    this.#doors.report({ type: "trouble", message });
  }
}

function addTargetFolder(file: string, extra: Set<string>): void {
  try {
    extra.add(dirname(realpathSync(file)));
  } catch {
    // It led somewhere a moment ago; the next look finds out.
  }
}
