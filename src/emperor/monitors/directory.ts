/** The monitor of folders: events only say "look again"; a look compares what is there with what was reported. */
import { readdirSync, realpathSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";
import { messageOf } from "../../core/errors.ts";
import type { VassalConfig } from "../../config/vassal-config.ts";
import type { RefusedFile } from "../../stats/emperor-snapshot.ts";
import type { ImperialMonitor, LoadedFile, MonitorDoors, MonitorSettings } from "./monitor.ts";
import { decideSettled, decideVanished } from "./settle-policy.ts";
import { identityKey, identityOf, readContent } from "./sighting.ts";
import type { Identity } from "./sighting.ts";
import { chooseCandidates } from "./vassal-candidates.ts";
import { WatchedFolders } from "./watched-folders.ts";

/** Events come in bursts: one look a moment later sees them all. */
const GATHER_MS = 3;
/** A look gives the loop back after this long. */
const SLICE_MS = 20;
/** A file that was read within this time of its last change may change again without a trace in coarse times. */
const RACY_MS = 2500;
/** Every so many full looks all contents are read, whatever the times say. */
const DEEP_EVERY = 12;

interface Sighting {
  readonly key: string;
  readonly hash: string;
  readonly sinceMs: number;
  readonly outcome: LoadedFile;
}

interface Entry {
  readonly name: string;
  file: string;
  /** What was reported last. */
  reported: { readonly key: string; readonly hash: string; readonly racy: boolean } | undefined;
  /** A change that has not settled yet. */
  sighting: Sighting | undefined;
  missingSinceMs: number | undefined;
  loaded: Extract<LoadedFile, { readonly config: VassalConfig }> | undefined;
  touch: ReadonlyMap<string, string>;
}

interface Folder {
  readonly path: string;
  key: string;
  names: readonly string[] | undefined;
  distrustUntilMs: number;
}

export class DirectoryMonitor implements ImperialMonitor {
  readonly places: readonly string[];
  readonly #doors: MonitorDoors;
  readonly #rescanMs: number;
  readonly #folders: readonly Folder[];
  readonly #watched: WatchedFolders;
  readonly #entries = new Map<string, Entry>();
  #refused: readonly RefusedFile[] = [];
  #waiters: { readonly name: string | undefined; readonly resolve: () => void; ready: boolean }[] =
    [];
  #looking = false;
  #lookAgain = false;
  #cancelTimer: (() => void) | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #lastFullMs = Number.NEGATIVE_INFINITY;
  #fullLooks = 0;
  /** Longer after an expensive look, so that a busy folder cannot keep the loop busy. */
  #gatherMs = GATHER_MS;
  #closed = false;

  constructor(settings: MonitorSettings, doors: MonitorDoors) {
    this.#doors = doors;
    this.#rescanMs = settings.rescanMs;
    this.places = [...new Set(settings.folders.map((folder) => resolve(folder)))];
    this.#folders = this.places.map((path) => ({
      path,
      key: "",
      names: undefined,
      distrustUntilMs: 0,
    }));
    this.#watched = new WatchedFolders(doors, () => this.#schedule(this.#gatherMs));
  }

  async start(): Promise<void> {
    this.#watched.keep(this.places);
    await this.#look();
  }

  async look(name?: string): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve) => {
      this.#waiters.push({ name, resolve, ready: false });
      this.#schedule(0);
    });
  }

  refused(): readonly RefusedFile[] {
    return this.#refused;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    for (const waiter of this.#waiters) waiter.resolve();
    this.#waiters = [];
    await this.#watched.close();
  }

  /** One timer for everything; an earlier wish wins. */
  #schedule(delayMs: number): void {
    if (this.#closed) return;
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    const atMs = this.#doors.clock.nowMs() + delayMs;
    if (atMs >= this.#timerAtMs) return;
    this.#cancelTimer?.();
    this.#timerAtMs = atMs;
    this.#cancelTimer = this.#doors.timers.after(delayMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    this.#cancelTimer?.();
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    this.#looking = true;
    this.#lookAgain = false;
    for (const waiter of this.#waiters) waiter.ready = true;
    const startMs = this.#doors.clock.nowMs();
    const againInMs = await this.#compare();
    this.#gatherMs = Math.max(GATHER_MS, 4 * (this.#doors.clock.nowMs() - startMs));
    this.#looking = false;
    this.#releaseWaiters();
    this.#schedule(this.#lookAgain ? this.#gatherMs : Math.max(1, againInMs));
  }

  #releaseWaiters(): void {
    const isOpen = (entry: Entry): boolean =>
      entry.sighting !== undefined || entry.missingSinceMs !== undefined;
    const done = this.#waiters.filter(({ ready, name }) => {
      if (!ready) return false;
      if (name === undefined) return ![...this.#entries.values()].some(isOpen);
      const entry = this.#entries.get(name);
      return entry === undefined || !isOpen(entry);
    });
    this.#waiters = this.#waiters.filter((waiter) => !done.includes(waiter));
    for (const waiter of done) waiter.resolve();
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
    for (const folder of this.#folders) this.#list(folder);
    const running = new Map([...this.#entries.values()].map((entry) => [entry.name, entry.file]));
    const listing = this.#folders.flatMap(({ path, names }) =>
      names ? [{ folder: path, names }] : [],
    );
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
      if (this.#closed) return againInMs;
    }
    for (const entry of this.#entries.values()) {
      if (!files.has(entry.name)) againInMs = Math.min(againInMs, this.#miss(entry));
    }
    this.#announceRefused([...refused, ...skipped]);
    this.#watched.keep([...this.places, ...extra]);
    return againInMs;
  }

  /** A folder that is away, or another one than before, says nothing about its files for a while. */
  #list(folder: Folder): void {
    const nowMs = this.#doors.clock.nowMs();
    try {
      const stat = statSync(folder.path, { bigint: true });
      folder.names = readdirSync(folder.path);
      const key = `${stat.dev}:${stat.ino}`;
      if (folder.key !== "" && folder.key !== key) {
        folder.distrustUntilMs = nowMs + 2 * this.#rescanMs;
        this.#trouble(
          `The folder "${folder.path}" is another one than before: what is missing in it counts as removed after two scans`,
        );
        this.#watched.renew(folder.path);
      }
      folder.key = key;
    } catch (error) {
      if (folder.names !== undefined || folder.key === "") {
        this.#trouble(`Cannot list "${folder.path}": ${messageOf(error)}; its vassals go on`);
      }
      // Something else than "", so that the folder is another one when it is back.
      folder.key = "away";
      folder.names = undefined;
    }
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
    const entry = known ?? this.#newEntry(name, file);
    if (identity.isLink) addTargetFolder(file, extra);
    const unchanged = entry.reported?.key === identity.key && entry.file === file;
    const mustRead = look.deep || (look.full && entry.reported?.racy === true);
    if (unchanged && entry.sighting === undefined && !mustRead) {
      entry.missingSinceMs = undefined;
      this.#checkTouch(entry, extra);
      return Number.POSITIVE_INFINITY;
    }
    const againInMs = this.#settle(entry, file, identity);
    for (const path of entry.touch.keys()) extra.add(dirname(path));
    return againInMs;
  }

  #newEntry(name: string, file: string): Entry {
    const entry: Entry = {
      name,
      file,
      reported: undefined,
      sighting: undefined,
      missingSinceMs: undefined,
      loaded: undefined,
      touch: new Map(),
    };
    this.#entries.set(name, entry);
    return entry;
  }

  #settle(entry: Entry, file: string, identity: Extract<Identity, { kind: "file" }>): number {
    const nowMs = this.#doors.clock.nowMs();
    const sighting = this.#sight(entry, file, identity.key);
    entry.sighting = sighting;
    const wasMissing = entry.missingSinceMs !== undefined;
    const sameContent = sighting.hash !== "" && sighting.hash === entry.reported?.hash;
    const quietForMs = this.#doors.clock.wallMs() - identity.changedAtMs;
    const racy = quietForMs < RACY_MS;
    if (sameContent && (wasMissing || sighting.key === entry.reported?.key)) {
      // Away for a moment, or read again and found as it was: nothing happened.
      entry.reported = { key: sighting.key, hash: sighting.hash, racy };
      entry.file = file;
      entry.sighting = undefined;
      entry.missingSinceMs = undefined;
      return Number.POSITIVE_INFINITY;
    }
    entry.missingSinceMs = undefined;
    const { counts, againInMs } = decideSettled({
      unchangedForMs: nowMs - sighting.sinceMs,
      quietForMs,
      openForWriting: () => this.#doors.isOpenForWriting(file),
      usable: "config" in sighting.outcome,
    });
    if (!counts) return againInMs;
    this.#report(entry, file, sighting, racy);
    return Number.POSITIVE_INFINITY;
  }

  /** Reads a file that is not as it was at the last look. */
  #sight(entry: Entry, file: string, key: string): Sighting {
    if (entry.sighting?.key === key && entry.file === file) return entry.sighting;
    const sinceMs = this.#doors.clock.nowMs();
    const content = readContent(file);
    if (!content.ok) {
      const { reason } = content;
      return { key, hash: "", sinceMs, outcome: { problem: reason, lines: [reason] } };
    }
    const { hash, bytes } = content;
    if (entry.sighting?.hash === hash) return { ...entry.sighting, key, sinceMs };
    return { key, hash, sinceMs, outcome: this.#doors.load({ file, bytes }) };
  }

  #report(entry: Entry, file: string, sighting: Sighting, racy: boolean): void {
    const { name, reported } = entry;
    const { key, hash, outcome } = sighting;
    entry.reported = { key, hash, racy };
    entry.file = file;
    entry.sighting = undefined;
    if ("problem" in outcome) {
      const { problem, lines } = outcome;
      this.#doors.report({ type: "vassalInvalid", name, file, hash, reason: problem, lines });
      return;
    }
    const trigger =
      reported === undefined ? "created" : reported.hash === hash ? "touched" : "changed";
    entry.loaded = outcome;
    const base = resolve(dirname(file), outcome.config.directory ?? ".");
    const paths = outcome.config.touch.map((path) => resolve(base, path));
    entry.touch = new Map(paths.map((path) => [path, touchKey(path)]));
    this.#doors.report({ type: "vassalSeen", name, file, hash, ...outcome, trigger });
  }

  #checkTouch(entry: Entry, extra: Set<string>): void {
    if (entry.touch.size === 0) return;
    const now = new Map([...entry.touch.keys()].map((path) => [path, touchKey(path)]));
    for (const path of now.keys()) extra.add(dirname(path));
    // One that went away touches nothing; its return does.
    const touched = [...now].some(([path, key]) => key !== "" && key !== entry.touch.get(path));
    entry.touch = now;
    if (!touched || entry.loaded === undefined || entry.reported === undefined) return;
    const { name, file, loaded, reported } = entry;
    this.#doors.report({
      type: "vassalSeen",
      name,
      file,
      hash: reported.hash,
      ...loaded,
      trigger: "touched",
    });
  }

  /** A file that is not there any more: removed, unless it comes back soon or its folder is not to be trusted. */
  #miss(entry: Entry): number {
    const folder = this.#folders.find(({ path }) => path === dirname(entry.file));
    if (folder?.names === undefined) return Number.POSITIVE_INFINITY;
    const nowMs = this.#doors.clock.nowMs();
    entry.missingSinceMs ??= nowMs;
    const { counts, againInMs } = decideVanished(
      nowMs - entry.missingSinceMs,
      folder.distrustUntilMs - nowMs,
    );
    if (!counts) return againInMs;
    this.#entries.delete(entry.name);
    if (entry.reported !== undefined) {
      this.#doors.report({ type: "vassalRemoved", name: entry.name, file: entry.file });
    }
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

/** "" also when it cannot be looked at: that is no touch. */
function touchKey(path: string): string {
  try {
    return identityKey(path);
  } catch {
    return "";
  }
}

function addTargetFolder(file: string, extra: Set<string>): void {
  try {
    extra.add(dirname(realpathSync(file)));
  } catch {
    // It led somewhere a moment ago; the next look finds out.
  }
}
