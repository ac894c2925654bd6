/** A strict JSON reader that keeps positions: RFC 8259 and nothing more, bounded in depth, duplicate keys refused. */
import type { Place } from "../problem.ts";
import { quoteValue } from "../problem.ts";
import type { RawEntry, RawMap, RawValue } from "../raw-value.ts";
import { SyntaxProblem } from "./source-text.ts";

export const MAX_DEPTH = 64;

/** The top-level mapping of a JSON text. Throws SyntaxProblem. */
export function readJson(text: string): RawMap {
  const reader = new JsonReader(text);
  const value = reader.document();
  if (value.kind !== "map") {
    throw new SyntaxProblem(value.at, "the file is not a mapping of keys", 'write { "listen": … }');
  }
  return value;
}

class JsonReader {
  readonly #text: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): RawValue {
    this.#space();
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) this.#unexpected("end of the file");
    return value;
  }

  #value(depth: number): RawValue {
    if (depth > MAX_DEPTH) {
      throw new SyntaxProblem(
        this.#place(),
        `the nesting is deeper than ${MAX_DEPTH}`,
        "flatten the file",
      );
    }
    const at = this.#place();
    switch (this.#text[this.#at]) {
      case "{":
        return { kind: "map", entries: this.#members(depth), at };
      case "[":
        return { kind: "list", items: this.#items(depth), at };
      case '"':
        return { kind: "scalar", type: "string", text: this.#string(), at };
      case undefined:
      default:
        return this.#word(at);
    }
  }

  #members(depth: number): RawEntry[] {
    const entries: RawEntry[] = [];
    const seen = new Set<string>();
    this.#at += 1;
    this.#space();
    if (this.#take("}")) return entries;
    for (;;) {
      this.#space();
      const at = this.#place();
      if (this.#text[this.#at] !== '"') this.#unexpected("a key in double quotes");
      const key = this.#string();
      if (seen.has(key)) {
        throw new SyntaxProblem(
          at,
          `the key '${quoteValue(key)}' is given twice`,
          "keep one of them",
        );
      }
      seen.add(key);
      this.#space();
      if (!this.#take(":")) this.#unexpected("':'");
      this.#space();
      entries.push({ key, at, value: this.#value(depth + 1) });
      this.#space();
      if (this.#take("}")) return entries;
      if (!this.#take(",")) this.#unexpected("',' or '}'");
    }
  }

  #items(depth: number): RawValue[] {
    const items: RawValue[] = [];
    this.#at += 1;
    this.#space();
    if (this.#take("]")) return items;
    for (;;) {
      this.#space();
      items.push(this.#value(depth + 1));
      this.#space();
      if (this.#take("]")) return items;
      if (!this.#take(",")) this.#unexpected("',' or ']'");
    }
  }

  /** The end is found by hand, the escapes are decoded by JSON.parse. */
  #string(): string {
    const at = this.#place();
    const start = this.#at;
    let end = start + 1;
    for (;;) {
      const character = this.#text[end];
      if (character === undefined || character === "\n") {
        throw new SyntaxProblem(at, "a text is not closed", 'write the missing "');
      }
      if (character === '"') break;
      end += character === "\\" ? 2 : 1;
    }
    this.#at = end + 1;
    try {
      return String(JSON.parse(this.#text.slice(start, end + 1)));
    } catch {
      throw new SyntaxProblem(
        at,
        "a text contains a bad escape or a tab",
        "write \\\\ or \\t or \\u0041",
      );
    }
  }

  #word(at: Place): RawValue {
    WORD.lastIndex = this.#at;
    const text = WORD.exec(this.#text)?.[0] ?? "";
    if (text.length > 0) this.#at += text.length;
    if (text === "true" || text === "false") return { kind: "scalar", type: "boolean", text, at };
    if (text === "null") return { kind: "scalar", type: "null", text, at };
    if (text.length <= 64 && NUMBER.test(text)) {
      return { kind: "scalar", type: "number", text, at };
    }
    if (text.length > 0) this.#at -= text.length;
    return this.#unexpected("a value");
  }

  #space(): void {
    for (;;) {
      const character = this.#text[this.#at];
      if (character === "\n") {
        this.#line += 1;
        this.#lineStart = this.#at + 1;
      } else if (character !== " " && character !== "\t" && character !== "\r") {
        return;
      }
      this.#at += 1;
    }
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #place(): Place {
    return { line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  #unexpected(expected: string): never {
    const rest = this.#text.slice(this.#at, this.#at + 20).split(/\s/, 1)[0] ?? "";
    const found = rest === "" ? "nothing" : `'${quoteValue(rest, 20)}'`;
    const fix =
      rest.startsWith("//") || rest.startsWith("#")
        ? "JSON has no comments; use YAML"
        : `write ${expected}`;
    throw new SyntaxProblem(this.#place(), `expected ${expected}, found ${found}`, fix);
  }
}

const WORD = /[\w.+-]{0,100}/y;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
