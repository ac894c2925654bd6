/** The functions callers use: bytes of a file (or flags) in, a validated configuration or all of its problems out. */
import { readIni, isOurs } from "./formats/ini.ts";
import { readJson } from "./formats/json.ts";
import { decodeSource, SyntaxProblem } from "./formats/source-text.ts";
import { readYaml } from "./formats/yaml.ts";
import type { Scope } from "./option.ts";
import { INDEX } from "./options/registry.ts";
import { expandPlaceholders } from "./placeholders.ts";
import { quoteValue } from "./problem.ts";
import type { ConfigProblem, Place } from "./problem.ts";
import type { RawEntry } from "./raw-value.ts";
import { Settings } from "./settings.ts";
import { Findings } from "./findings.ts";
import type { Setting } from "./settings.ts";
import { folderOf } from "./types/path.ts";
import { assembleVassal } from "./vassal-assembly.ts";
import type { VassalConfig } from "./vassal-config.ts";

/** All problems at once, in the order of the file; or the value, with warnings and what the file set. */
export type Loaded<T> =
  | {
      readonly ok: true;
      readonly config: T;
      readonly warnings: readonly ConfigProblem[];
      /** What was given, with its origin; everything else has its default. */
      readonly settings: readonly Setting[];
    }
  | {
      readonly ok: false;
      readonly problems: readonly ConfigProblem[];
      readonly warnings: readonly ConfigProblem[];
    };

export type LoadResult = Loaded<VassalConfig>;

export interface ConfigFile {
  /** Absolute; its folder is where relative paths start, its extension names the format. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** Extensions of vassal files, with the dot. */
export const CONFIG_EXTENSIONS = [".yaml", ".yml", ".json", ".ini"] as const;

/** A vassal file. Pure: the caller reads it, nothing is looked up. */
export function loadVassalConfig(input: ConfigFile): LoadResult {
  const folder = folderOf(input.file);
  return load(input, "vassal", (settings, findings) =>
    assembleVassal(settings, folder, findings, { line: 1, column: 1 }),
  );
}

/** Reads a file of any scope; `assemble` turns its settings into the result. */
export function load<T>(
  input: ConfigFile,
  scope: Scope,
  assemble: (settings: Settings, findings: Findings) => T | undefined,
): Loaded<T> {
  const findings = new Findings(input.file);
  const settings = new Settings(scope, folderOf(input.file), findings);
  try {
    for (const part of readParts(input, scope, findings)) settings.read(part.entries, part.dialect);
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    findings.add("error", error.at, { message: error.message, fix: error.fix });
    return finish<T>(undefined, settings, findings);
  }
  return finish(assemble(settings, findings), settings, findings);
}

/** The same keys as flags: name => values in the order of the command line (an empty value is a bare flag). */
export function loadFlags(flags: ReadonlyMap<string, readonly string[]>, cwd: string): LoadResult {
  const findings = new Findings("command line");
  const settings = new Settings("vassal", cwd, findings);
  const nowhere: Place = { line: 0, column: 0 };
  const entries: RawEntry[] = [];
  for (const [name, values] of flags) {
    const key = name.replace(/^--/, "");
    for (const text of values) {
      const bare = text === "";
      entries.push({
        key,
        at: nowhere,
        value: {
          kind: "scalar",
          type: bare ? "boolean" : "string",
          text: bare ? "true" : text,
          at: nowhere,
        },
      });
    }
  }
  settings.read(entries, "tsgi");
  return finish(assembleVassal(settings, cwd, findings, nowhere), settings, findings);
}

interface Part {
  readonly entries: readonly RawEntry[];
  readonly dialect: "tsgi" | "uwsgi";
}

function readParts(input: ConfigFile, scope: Scope, findings: Findings): Part[] {
  const extension = CONFIG_EXTENSIONS.find((one) => input.file.endsWith(one));
  if (extension === undefined) {
    throw new SyntaxProblem(
      { line: 0, column: 0 },
      "the name has no known extension",
      `name it *${CONFIG_EXTENSIONS.join(", *")}`,
    );
  }
  const text = decodeSource(input.bytes);
  if (extension === ".ini") return iniParts(text, input.file, scope, findings);
  const top = extension === ".json" ? readJson(text) : readYaml(text);
  const parts: Part[] = [];
  const plain = top.entries.filter(
    ({ key, value }) => !(key === "uwsgi" && value.kind === "map" && scope === "vassal"),
  );
  if (plain.length > 0) parts.push({ entries: plain, dialect: "tsgi" });
  for (const { key, value } of top.entries) {
    if (key === "uwsgi" && value.kind === "map" && scope === "vassal") {
      const entries = expand(value.entries, input.file, scope, findings);
      parts.push({ entries, dialect: "uwsgi" });
    }
  }
  return parts;
}

function iniParts(text: string, file: string, scope: Scope, findings: Findings): Part[] {
  const parts: Part[] = [];
  for (const { name, line, entries } of readIni(text)) {
    if (isOurs(name)) {
      const dialect = name === "uwsgi" ? "uwsgi" : "tsgi";
      parts.push({ entries: expand(entries, file, scope, findings), dialect });
    } else {
      findings.add(
        "warning",
        { line, column: 1 },
        {
          message: `the section [${quoteValue(name)}] is skipped`,
          fix: "only [tsgi] and [uwsgi] are read",
        },
      );
    }
  }
  return parts;
}

function expand(
  entries: readonly RawEntry[],
  file: string,
  scope: Scope,
  findings: Findings,
): readonly RawEntry[] {
  const { spellings, groups } = INDEX[scope];
  const expansion = expandPlaceholders(
    entries,
    file,
    (key) => spellings.has(key) || groups.has(key),
    (key) => spellings.get(key)?.spec.name === "request-log",
  );
  for (const { at, key, value, message, fix } of expansion.problems) {
    if (findings.full) break;
    const shown = spellings.get(key)?.spec.secret === true ? {} : { value };
    findings.add("error", at, { key, ...shown, message: `${key}: ${message}`, fix });
  }
  return expansion.entries;
}

function finish<T>(config: T | undefined, settings: Settings, findings: Findings): Loaded<T> {
  const warnings = inOrder(findings.warnings);
  if (config === undefined || findings.errors.length > 0) {
    return { ok: false, problems: inOrder(findings.errors), warnings };
  }
  return { ok: true, config, warnings, settings: [...settings.given.values()] };
}

function inOrder(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
}
