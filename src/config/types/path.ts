/** Paths in options. Pure text: nothing is looked up, symlinks stay as they are written. */
import type { OptionType } from "../option.ts";
import { readScalar, textProblem } from "./scalars.ts";

/** Linux's PATH_MAX without the final NUL. */
const MAX_PATH_BYTES = 4095;

/**
 * A path. `against: "file"` makes it absolute from the folder of the vassal file; `against: "directory"` leaves it
 * as written, because it is resolved against `directory` when a generation starts (so it follows a release symlink).
 */
export function path(options: {
  readonly against: "file" | "directory";
  readonly label?: string;
}): OptionType<string> {
  const label = options.label ?? "a path";
  return {
    label,
    word: "path",
    schema: { type: "string", minLength: 1, maxLength: MAX_PATH_BYTES },
    read(value, context) {
      const scalar = readScalar(value, context, label);
      if (scalar === undefined) return undefined;
      const problem = pathProblem(scalar.text);
      if (problem !== undefined) return context.fail(value, problem, `write ${label}`);
      return options.against === "file" ? resolvePath(context.folder, scalar.text) : scalar.text;
    },
    show: (value) => value,
  };
}

/** Why `written` can be no path, or undefined when it can. */
export function pathProblem(written: string): string | undefined {
  const problem = textProblem(written, MAX_PATH_BYTES);
  if (problem !== undefined) return problem;
  if (written.startsWith("~")) return "'~' is not expanded, because no shell is involved";
  return undefined;
}

/**
 * `written` as an absolute path: joined to `folder` when relative, "." and empty parts dropped. ".." stays, since
 * behind a symlink only the kernel knows what it means.
 *
 * @example resolvePath("/etc/tsgi", "./blog//current") => "/etc/tsgi/blog/current"
 */
export function resolvePath(folder: string, written: string): string {
  const joined = written.startsWith("/") ? written : `${folder}/${written}`;
  const parts = joined.split("/").filter((part) => part !== "" && part !== ".");
  return `/${parts.join("/")}`;
}

/** The folder of an absolute file path: "/a/b.yaml" => "/a". */
export function folderOf(file: string): string {
  const slash = file.lastIndexOf("/");
  return slash <= 0 ? "/" : file.slice(0, slash);
}

/** The last part of a path: "/a/b.yaml" => "b.yaml". */
export function baseOf(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1);
}
