/** The vassal folders and what is listed in them; a folder that is away or was exchanged is not to be trusted. */
import { readdirSync, statSync } from "node:fs";
import { messageOf } from "../../core/errors.ts";

interface Folder {
  readonly path: string;
  key: string;
  names: readonly string[] | undefined;
  distrustUntilMs: number;
}

export interface ListedFoldersDoors {
  readonly clock: { nowMs(): number };
  trouble(message: string): void;
  /** The folder at this path is another one than before. */
  exchanged(path: string): void;
}

export class ListedFolders {
  readonly #folders: readonly Folder[];
  readonly #distrustMs: number;
  readonly #doors: ListedFoldersDoors;

  constructor(paths: readonly string[], distrustMs: number, doors: ListedFoldersDoors) {
    this.#folders = paths.map((path) => ({ path, key: "", names: undefined, distrustUntilMs: 0 }));
    this.#distrustMs = distrustMs;
    this.#doors = doors;
  }

  /** Lists them all; those that are away are left out. */
  list(): readonly { readonly folder: string; readonly names: readonly string[] }[] {
    for (const folder of this.#folders) this.#list(folder);
    return this.#folders.flatMap(({ path, names }) => (names ? [{ folder: path, names }] : []));
  }

  /** For how long yet what is missing in a folder does not count; undefined = as long as the folder is away. */
  distrustMs(path: string): number | undefined {
    const folder = this.#folders.find((each) => each.path === path);
    if (folder?.names === undefined) return undefined;
    return folder.distrustUntilMs - this.#doors.clock.nowMs();
  }

  /** A folder that is away, or another one than before, says nothing about its files for a while. */
  #list(folder: Folder): void {
    const nowMs = this.#doors.clock.nowMs();
    try {
      const stat = statSync(folder.path, { bigint: true });
      folder.names = readdirSync(folder.path);
      const key = `${stat.dev}:${stat.ino}`;
      if (folder.key !== "" && folder.key !== key) {
        folder.distrustUntilMs = nowMs + this.#distrustMs;
        this.#doors.trouble(
          `The folder "${folder.path}" is another one than before: what is missing in it counts as removed after two scans`,
        );
        this.#doors.exchanged(folder.path);
      }
      folder.key = key;
    } catch (error) {
      if (folder.names !== undefined || folder.key === "") {
        this.#doors.trouble(`Cannot list "${folder.path}": ${messageOf(error)}; its vassals go on`);
      }
      // Something else than "", so that the folder is another one when it is back.
      folder.key = "away";
      folder.names = undefined;
    }
  }
}
