/** uWSGI's INI: sections, `key = value`, a bare key for true, comment lines; no quoting, no continuation, no inline comments. */
import { quoteValue } from "../problem.ts";
import type { RawEntry } from "../raw-value.ts";
import { nearest } from "../suggest.ts";
import { SyntaxProblem } from "./source-text.ts";

export const INI_SECTIONS = ["tsgi", "uwsgi"] as const;

export interface IniSection {
  readonly name: string;
  readonly line: number;
  /** Keys may repeat; order is kept. */
  readonly entries: RawEntry[];
}

/** Every section in order. Throws SyntaxProblem for a line that is neither section, key nor comment. */
export function readIni(text: string): readonly IniSection[] {
  const sections: IniSection[] = [];
  let line = 0;
  for (const source of text.split("\n")) {
    line += 1;
    const content = source.trim();
    if (content === "" || content.startsWith(";") || content.startsWith("#")) continue;
    const column = source.length - source.trimStart().length + 1;
    if (content.startsWith("[")) {
      if (!content.endsWith("]") || content.length < 3) {
        throw new SyntaxProblem({ line, column }, "a section name is not closed", "write [tsgi]");
      }
      sections.push({ name: content.slice(1, -1).trim(), line, entries: [] });
      continue;
    }
    const section = sections.at(-1);
    if (section === undefined) {
      throw new SyntaxProblem(
        { line, column },
        `'${quoteValue(content)}' stands before any section`,
        "write [tsgi] or [uwsgi] above it",
      );
    }
    section.entries.push(readLine(content, line, column));
  }
  if (!sections.some(({ name }) => isOurs(name))) {
    const [first] = sections;
    const meant = first === undefined ? undefined : nearest(first.name, INI_SECTIONS);
    throw new SyntaxProblem(
      { line: first?.line ?? 1, column: 1 },
      "the file has no section [tsgi] or [uwsgi]",
      meant === undefined ? "write [tsgi] above the keys" : `did you mean [${meant}]?`,
    );
  }
  return sections;
}

export function isOurs(section: string): boolean {
  return INI_SECTIONS.some((name) => name === section);
}

function readLine(content: string, line: number, column: number): RawEntry {
  const at = { line, column };
  const equals = content.indexOf("=");
  if (equals === -1) {
    return { key: content, at, value: { kind: "scalar", type: "boolean", text: "true", at } };
  }
  const key = content.slice(0, equals).trim();
  if (key === "")
    throw new SyntaxProblem(at, "the line has no key before '='", "write key = value");
  const text = content.slice(equals + 1).trim();
  const valueAt = { line, column: column + content.length - text.length };
  const type = text === "" ? "null" : "string";
  return { key, at, value: { kind: "scalar", type, text, at: valueAt } };
}
