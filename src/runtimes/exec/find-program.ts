/** Finds a program as execvp(3) would, and says what is wrong when it cannot run. */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { messageOf } from "../../core/errors.ts";
import { StartFailure } from "../runtime.ts";

/**
 * The absolute path of `name`: one with a slash is taken from `directory`; another is looked for in `directory` first
 * (where a release keeps its binary), then on `path`. Throws StartFailure with the fix.
 */
export function findProgram(name: string, directory: string, path: string | undefined): string {
  if (name.includes("/")) {
    const file = resolve(directory, name);
    const problem = executableProblem(file);
    if (problem !== undefined) throw new StartFailure(`Cannot run ${quote(file)}: ${problem}`);
    return file;
  }
  for (const folder of [directory, ...(path ?? "/usr/local/bin:/usr/bin:/bin").split(delimiter)]) {
    if (folder === "") continue;
    const file = join(folder, name);
    if (executableProblem(file) === undefined) return file;
  }
  throw new StartFailure(
    `Cannot run ${quote(name)}: there is no such program in ${quote(directory)} or on the PATH of the vassal; ` +
      `build it, install it, or write its whole path in 'exec'`,
  );
}

/** The path of a tool of the system, or undefined when the machine has none. */
export function findTool(name: string): string | undefined {
  return ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
    .map((folder) => join(folder, name))
    .find((file) => executableProblem(file) === undefined);
}

function executableProblem(file: string): string | undefined {
  try {
    if (!statSync(file).isFile()) return "it is not a regular file";
  } catch (error) {
    return `${messageOf(error)}; build or install it`;
  }
  try {
    accessSync(file, constants.X_OK);
    return undefined;
  } catch {
    return `the vassal's user may not execute it; run 'chmod +x' on it`;
  }
}

function quote(text: string): string {
  return JSON.stringify(text);
}
