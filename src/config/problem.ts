/** What is wrong with a configuration, and where: the one shape of every error and warning. */

/** A position in a text; both count from 1. Line 0 means "no line": command-line flags and whole files. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface ConfigProblem extends Place {
  readonly severity: "error" | "warning";
  readonly file: string;
  readonly key?: string;
  /** The offending value: escaped, shortened, never longer than 80 characters. */
  readonly value?: string;
  readonly message: string;
  /** What to write instead, one sentence without a full stop. */
  readonly fix: string;
}

/**
 * One line for people.
 *
 * @example "blog.yaml:3:1: unknown key 'worker'; did you mean 'workers'?"
 */
export function formatProblem(problem: ConfigProblem): string {
  const where = problem.line === 0 ? problem.file : `${problem.file}:${placeText(problem)}`;
  const warning = problem.severity === "warning" ? "warning: " : "";
  return escapeText(`${where}: ${warning}${problem.message}; ${problem.fix}`);
}

/** Text that is safe in a terminal and in a log line: control characters and odd spaces are escaped. */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u${code.padStart(4, "0")}`;
  });
}

/** A value as it may be quoted in a message: escaped and cut to `limit` characters. */
export function quoteValue(text: string, limit = 60): string {
  const escaped = escapeText(text.slice(0, limit + 1));
  return escaped.length > limit ? `${escaped.slice(0, limit)}…` : escaped;
}

function placeText({ line, column }: Place): string {
  return `${line}:${column}`;
}

// Controls, deletes, C1, directional marks and overrides, line separators, lone surrogates, BOM.
const UNSAFE =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
