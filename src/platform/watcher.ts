/** Tells when something changed in a folder, through chokidar. Only a hint: the owner looks for itself what it was. */
import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { watch } from "chokidar";
import type { FSWatcher } from "chokidar";
import { systemCode } from "../core/errors.ts";

export interface DirectoryWatch {
  close(): Promise<void>;
}

/**
 * Watches the entries of one folder, not those of its sub-folders. A folder that does not exist, or that is
 * removed and made again, is waited for by watching its nearest ancestor.
 *
 * @param onChange gets the path that changed, or the folder itself whenever it (re)appears or vanishes
 * @param onError gets problems such as "no more inotify watches"; the watch may then be incomplete
 */
export function watchDirectory(
  directory: string,
  onChange: (path: string) => void,
  onError: (error: unknown) => void,
): DirectoryWatch {
  const target = resolve(directory);
  let closed = false;
  let current: FSWatcher | undefined;

  const attach = (): void => {
    if (closed) return;
    void current?.close().catch(onError);
    const place = nearestFolder(target);
    const watcher = watch(place, {
      depth: 0,
      ignoreInitial: true,
      // The owner decides by content when a file has settled.
      awaitWriteFinish: false,
      atomic: false,
      ignorePermissionErrors: true,
    });
    current = watcher;
    const isCurrent = (): boolean => !closed && current === watcher;
    watcher.on("error", (error) => {
      // A link that leads in a circle cannot be watched; the owner tells about it when it reads the entry.
      if (systemCode(error) !== "ELOOP") onError(error);
    });
    watcher.on("all", (event, path) => {
      if (!isCurrent()) return;
      if (place === target) onChange(path);
      if (nearestFolder(target) !== place || (event === "unlinkDir" && path === place)) {
        if (place === target) onChange(target);
        attach();
      }
    });
    watcher.on("ready", () => {
      if (!isCurrent()) return;
      // What happened before the watch stood was not seen.
      if (nearestFolder(target) !== place) attach();
      else if (place === target) onChange(target);
    });
  };

  attach();
  return {
    close: async () => {
      closed = true;
      await current?.close();
    },
  };
}

/** The folder itself when it exists, else the closest ancestor that does. */
function nearestFolder(path: string): string {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isFolder || dirname(path) === path ? path : nearestFolder(dirname(path));
}
