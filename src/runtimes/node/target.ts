/** Which file a `node` target names: always one of the release, found the way Node finds a main module. */
import { readFileSync, statSync } from "node:fs";
import { isAbsolute, join, relative, resolve } from "node:path";
import { messageOf } from "../../core/errors.ts";
import { StartFailure } from "../runtime.ts";

const EXTENSIONS = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"];

/** The absolute path of the target's file. Throws StartFailure when there is none, or when it leaves the release. */
export function resolveTarget(release: string, target: string): string {
  const path = resolve(release, target);
  const inside = relative(release, path);
  if (inside.startsWith("..") || isAbsolute(inside)) {
    throw new StartFailure(
      `Cannot load node application "${target}": it is outside the release ${release}`,
    );
  }
  const file = fileOf(path) ?? fileIn(path);
  if (file !== undefined) return file;
  throw new StartFailure(
    `Cannot load node application "${target}": there is no such file, and no main of a package, in ${release}`,
  );
}

function fileOf(path: string): string | undefined {
  if (isFile(path)) return path;
  for (const extension of EXTENSIONS) if (isFile(path + extension)) return path + extension;
  return undefined;
}

/** A directory: `main` of its package.json, else its index file. */
function fileIn(directory: string): string | undefined {
  const main = mainOf(join(directory, "package.json"));
  if (main !== undefined) {
    const path = resolve(directory, main);
    const file = relative(directory, path).startsWith("..") ? undefined : fileOf(path);
    return file ?? fileOf(join(path, "index"));
  }
  return fileOf(join(directory, "index"));
}

function mainOf(packageFile: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(packageFile, "utf8");
  } catch {
    // Most directories are no packages.
    return undefined;
  }
  try {
    const value = JSON.parse(text) as { readonly main?: unknown } | null;
    return typeof value?.main === "string" ? value.main : undefined;
  } catch (error) {
    throw new StartFailure(`Cannot read ${packageFile}: ${messageOf(error)}`);
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
