/** `tsgi run FILE` and `tsgi --listen … --python …`: a configuration without an emperor, handed to `run-vassal.ts`. */
import { basename, extname, resolve } from "node:path";
import { MAX_FILE_BYTES } from "../../config/formats/source-text.ts";
import { listFlags } from "../../config/flags.ts";
import { loadFlags, loadVassalConfig } from "../../config/load.ts";
import type { LoadResult } from "../../config/load.ts";
import { formatProblem } from "../../config/problem.ts";
import { TsgiError } from "../../core/errors.ts";
import { EXIT } from "../../core/exit-codes.ts";
import { readBounded } from "../../platform/files.ts";
import { parseFlags } from "../vassal-flags.ts";
import { runVassal } from "./run-vassal.ts";

/** Serves a vassal file until a signal; the exit code. */
export async function serveFile(path: string): Promise<number> {
  const file = resolve(path);
  const content = readBounded(file, { maxBytes: MAX_FILE_BYTES });
  if (!content.ok) {
    throw new TsgiError("TSGI_CONFIG_UNREADABLE", `Cannot read "${file}": ${content.reason}`);
  }
  const name = basename(file, extname(file));
  return serve(name, file, loadVassalConfig({ file, bytes: content.bytes }));
}

/** Serves what the flags say; the exit code. */
export async function serveFlags(parameters: readonly string[]): Promise<number> {
  const known = listFlags();
  if (parameters.length === 1 && parameters[0] === "--flags") {
    const flags = known.map(({ name, word, bare }) => (bare ? `--${name}` : `--${name} <${word}>`));
    const width = Math.min(40, Math.max(...flags.map((flag) => flag.length)));
    process.stdout.write(
      known
        .map(({ summary }, index) => `${(flags[index] ?? "").padEnd(width)}  ${summary}\n`)
        .join(""),
    );
    return EXIT.done;
  }
  if (parameters.length === 0) {
    throw new TsgiError("TSGI_USAGE", "Cannot serve: neither 'run FILE' nor flags were given");
  }
  // The folder of this imaginary file is where relative paths start.
  const file = resolve("command-line");
  return serve("tsgi", file, loadFlags(parseFlags(parameters, known), process.cwd()));
}

async function serve(name: string, file: string, loaded: LoadResult): Promise<number> {
  for (const warning of loaded.warnings) process.stderr.write(`${formatProblem(warning)}\n`);
  if (loaded.ok) return runVassal({ name, config: loaded.config, file });
  for (const problem of loaded.problems) process.stderr.write(`${formatProblem(problem)}\n`);
  return EXIT.usage;
}
