/** The folders under watch; when watching fails, the periodic look goes on alone and one event says so. */
import { messageOf } from "../../core/errors.ts";
import type { MonitorDoors } from "./monitor.ts";

/** Folders beyond the vassal folders themselves (targets of links, `touch` files); the periodic look covers the rest. */
const WATCHED_MAX = 256;

interface Watch {
  close(): Promise<void> | void;
}

export class WatchedFolders {
  readonly #doors: Pick<MonitorDoors, "watchDirectory" | "report">;
  readonly #onChange: () => void;
  readonly #watches = new Map<string, Watch | undefined>();
  #troubled = false;

  constructor(doors: Pick<MonitorDoors, "watchDirectory" | "report">, onChange: () => void) {
    this.#doors = doors;
    this.#onChange = onChange;
  }

  /** Watches exactly these from now on. */
  keep(folders: readonly string[]): void {
    const wanted = new Set(folders.slice(0, WATCHED_MAX));
    for (const folder of this.#watches.keys()) if (!wanted.has(folder)) this.#drop(folder);
    for (const folder of wanted) {
      if (!this.#watches.has(folder)) this.#watches.set(folder, this.#watch(folder));
    }
  }

  /** For a folder that was replaced: the old watch looks at the one that is gone. */
  renew(folder: string): void {
    if (!this.#watches.has(folder)) return;
    this.#drop(folder);
    this.#watches.set(folder, this.#watch(folder));
  }

  async close(): Promise<void> {
    const watches = [...this.#watches.values()];
    this.#watches.clear();
    await Promise.all(watches.map(async (watch) => watch?.close()));
  }

  #watch(folder: string): Watch | undefined {
    try {
      return this.#doors.watchDirectory(folder, this.#onChange, (error) =>
        this.#trouble(folder, error),
      );
    } catch (error) {
      this.#trouble(folder, error);
      return undefined;
    }
  }

  #drop(folder: string): void {
    const watch = this.#watches.get(folder);
    this.#watches.delete(folder);
    void watch?.close();
  }

  #trouble(folder: string, error: unknown): void {
    if (this.#troubled) return;
    this.#troubled = true;
    const message = `Cannot watch "${folder}": ${messageOf(error)}; changes are seen by the periodic scan`;
    this.#doors.report({ type: "trouble", message });
  }
}
