/** One vassal file as a monitor knows it: what was reported last, and a change that has not settled yet. */
import { dirname, resolve } from "node:path";
import type { VassalConfig } from "../../config/vassal-config.ts";
import type { LoadedFile, MonitorDoors } from "./monitor.ts";
import { decideSettled, decideVanished } from "./settle-policy.ts";
import { identityKey, readContent } from "./sighting.ts";
import type { Identity } from "./sighting.ts";

/** A file that was read within this time of its last change may change again without a trace in coarse times. */
const RACY_MS = 2500;

interface Sighting {
  readonly key: string;
  readonly hash: string;
  readonly sinceMs: number;
  readonly outcome: LoadedFile;
}

export type FileEntryDoors = Pick<MonitorDoors, "clock" | "isOpenForWriting" | "load" | "report">;

export class FileEntry {
  readonly name: string;
  readonly #doors: FileEntryDoors;
  #file: string;
  /** What was reported last. */
  #reported: { readonly key: string; readonly hash: string; readonly racy: boolean } | undefined;
  /** A change that has not settled yet. */
  #sighting: Sighting | undefined;
  #missingSinceMs: number | undefined;
  #loaded: Extract<LoadedFile, { readonly config: VassalConfig }> | undefined;
  #touch: ReadonlyMap<string, string> = new Map();

  constructor(name: string, file: string, doors: FileEntryDoors) {
    this.name = name;
    this.#file = file;
    this.#doors = doors;
  }

  get file(): string {
    return this.#file;
  }

  /** Something was seen that does not count yet. */
  get isOpen(): boolean {
    return this.#sighting !== undefined || this.#missingSinceMs !== undefined;
  }

  /** Folders of files whose touch deploys this vassal. */
  get touchFolders(): readonly string[] {
    return [...this.#touch.keys()].map((path) => dirname(path));
  }

  /** Compares the file with what was reported; the result says when to compare again. */
  examine(
    file: string,
    identity: Extract<Identity, { kind: "file" }>,
    look: { readonly full: boolean; readonly deep: boolean },
  ): number {
    const unchanged = this.#reported?.key === identity.key && this.#file === file;
    const mustRead = look.deep || (look.full && this.#reported?.racy === true);
    if (!unchanged || this.#sighting !== undefined || mustRead) return this.#settle(file, identity);
    this.#missingSinceMs = undefined;
    this.#checkTouch();
    return Number.POSITIVE_INFINITY;
  }

  /**
   * The file is not there: removed, unless it comes back soon or its folder is not to be trusted.
   *
   * @param distrustMs for how long yet the folder is not trusted; undefined = it is away itself
   * @returns when to look again; undefined = it has been reported as removed
   */
  miss(distrustMs: number | undefined): number | undefined {
    if (distrustMs === undefined) return Number.POSITIVE_INFINITY;
    const nowMs = this.#doors.clock.nowMs();
    this.#missingSinceMs ??= nowMs;
    const { counts, againInMs } = decideVanished(nowMs - this.#missingSinceMs, distrustMs);
    if (!counts) return againInMs;
    if (this.#reported !== undefined) {
      this.#doors.report({ type: "vassalRemoved", name: this.name, file: this.#file });
    }
    return undefined;
  }

  #settle(file: string, identity: Extract<Identity, { kind: "file" }>): number {
    const nowMs = this.#doors.clock.nowMs();
    const sighting = this.#sight(file, identity.key);
    this.#sighting = sighting;
    const wasMissing = this.#missingSinceMs !== undefined;
    const sameContent = sighting.hash !== "" && sighting.hash === this.#reported?.hash;
    const quietForMs = this.#doors.clock.wallMs() - identity.changedAtMs;
    const racy = quietForMs < RACY_MS;
    if (sameContent && (wasMissing || sighting.key === this.#reported?.key)) {
      // Away for a moment, or read again and found as it was: nothing happened.
      this.#reported = { key: sighting.key, hash: sighting.hash, racy };
      this.#file = file;
      this.#sighting = undefined;
      this.#missingSinceMs = undefined;
      return Number.POSITIVE_INFINITY;
    }
    this.#missingSinceMs = undefined;
    const { counts, againInMs } = decideSettled({
      unchangedForMs: nowMs - sighting.sinceMs,
      quietForMs,
      openForWriting: () => this.#doors.isOpenForWriting(file),
      usable: "config" in sighting.outcome,
    });
    if (!counts) return againInMs;
    this.#report(file, sighting, racy);
    return Number.POSITIVE_INFINITY;
  }

  /** Reads a file that is not as it was at the last look. */
  #sight(file: string, key: string): Sighting {
    if (this.#sighting?.key === key && this.#file === file) return this.#sighting;
    const sinceMs = this.#doors.clock.nowMs();
    const content = readContent(file);
    if (!content.ok) {
      const { reason } = content;
      return { key, hash: "", sinceMs, outcome: { problem: reason, lines: [reason] } };
    }
    const { hash, bytes } = content;
    if (this.#sighting?.hash === hash) return { ...this.#sighting, key, sinceMs };
    return { key, hash, sinceMs, outcome: this.#doors.load({ file, bytes }) };
  }

  #report(file: string, sighting: Sighting, racy: boolean): void {
    const reported = this.#reported;
    const { key, hash, outcome } = sighting;
    this.#reported = { key, hash, racy };
    this.#file = file;
    this.#sighting = undefined;
    if ("problem" in outcome) {
      const { problem, lines } = outcome;
      this.#doors.report({
        type: "vassalInvalid",
        name: this.name,
        file,
        hash,
        reason: problem,
        lines,
      });
      return;
    }
    const trigger =
      reported === undefined ? "created" : reported.hash === hash ? "touched" : "changed";
    this.#loaded = outcome;
    const base = resolve(dirname(file), outcome.config.directory ?? ".");
    const paths = outcome.config.touch.map((path) => resolve(base, path));
    this.#touch = new Map(paths.map((path) => [path, touchKey(path)]));
    this.#doors.report({ type: "vassalSeen", name: this.name, file, hash, ...outcome, trigger });
  }

  #checkTouch(): void {
    if (this.#touch.size === 0) return;
    const now = new Map([...this.#touch.keys()].map((path) => [path, touchKey(path)]));
    // One that went away touches nothing; its return does.
    const touched = [...now].some(([path, key]) => key !== "" && key !== this.#touch.get(path));
    this.#touch = now;
    if (!touched || this.#loaded === undefined || this.#reported === undefined) return;
    this.#doors.report({
      type: "vassalSeen",
      name: this.name,
      file: this.#file,
      hash: this.#reported.hash,
      ...this.#loaded,
      trigger: "touched",
    });
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
