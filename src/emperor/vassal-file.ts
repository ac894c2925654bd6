/** Makes a configuration, or one sentence and all lines of what is wrong, from the bytes of a vassal file. */
import { loadVassalConfig } from "../config/load.ts";
import { formatProblem } from "../config/problem.ts";
import type { ConfigProblem } from "../config/problem.ts";
import { messageOf } from "../core/errors.ts";
import type { LoadedFile } from "./monitors/monitor.ts";

export function loadVassalFile(input: {
  readonly file: string;
  readonly bytes: Uint8Array;
}): LoadedFile {
  try {
    const loaded = loadVassalConfig(input);
    if (loaded.ok) return { config: loaded.config, warnings: loaded.warnings.map(warningText) };
    const lines = loaded.problems.map(formatProblem);
    const more =
      lines.length > 1 ? ` (and ${lines.length - 1} more, see 'tsgi-emperor check')` : "";
    return { problem: `${lines[0] ?? `Cannot use "${input.file}"`}${more}`, lines };
  } catch (error) {
    // A parser that gives up in its own way must not cost the other vassals anything.
    const problem = `Cannot parse "${input.file}": ${messageOf(error)}`;
    return { problem, lines: [problem] };
  }
}

/** Whoever shows it says that it is a warning. */
function warningText(warning: ConfigProblem): string {
  return formatProblem({ ...warning, severity: "error" });
}
