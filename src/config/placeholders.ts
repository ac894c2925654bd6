/**
 * uWSGI's variables in values: %n, %d … (from the file's own path) and %(key) (from the same file). Nothing else is
 * expanded: $(ENV) and @(scheme) would read or run something while a file is loaded, and are refused.
 */
import { quoteValue } from "./problem.ts";
import type { Place } from "./problem.ts";
import type { RawEntry, RawValue } from "./raw-value.ts";
import { expandMagic, magicVariables } from "./magic-variables.ts";

export interface PlaceholderProblem {
  readonly at: Place;
  readonly key: string;
  readonly value: string;
  readonly message: string;
  readonly fix: string;
}

export interface Expansion {
  /** The entries with values expanded, without the file's own keys that exist only for %(key). */
  readonly entries: readonly RawEntry[];
  readonly problems: readonly PlaceholderProblem[];
}

/** One expanded value, and all of them together. */
const MAX_VALUE_LENGTH = 64 * 1024;
const MAX_TOTAL_LENGTH = 4 * 1024 * 1024;

const SETTERS: ReadonlySet<string> = new Set(["set-placeholder", "set-ph", "set"]);

/**
 * Expands the entries of one section.
 *
 * @param isOption whether a key is an option (others may be the file's own keys)
 * @param keepsFields whether %(name) without a definition stays as it is (log formats)
 */
export function expandPlaceholders(
  entries: readonly RawEntry[],
  file: string,
  isOption: (key: string) => boolean,
  keepsFields: (key: string) => boolean,
): Expansion {
  const magic = magicVariables(file);
  const problems: PlaceholderProblem[] = [];
  const prepared = entries.map((entry) => ({
    ...entry,
    value: mapScalars(entry.value, (text, at) => {
      const refuse = (message: string, fix: string): void => {
        problems.push({ at, key: entry.key, value: text, message, fix });
      };
      return expandMagic(text, magic, refuse);
    }),
  }));
  const definitions = definitionsOf(prepared);
  const expander = new Expander(definitions);
  const kept: RawEntry[] = [];
  for (const entry of prepared) {
    const value = mapScalars(entry.value, (text, at) => {
      const result = expander.expand(text, keepsFields(entry.key));
      if (typeof result === "string") return result;
      problems.push({ at, key: entry.key, value: text, ...result });
      return text;
    });
    kept.push({ ...entry, value });
  }
  return {
    entries: kept.filter(
      ({ key }) => !SETTERS.has(key) && (isOption(key) || !expander.used.has(key)),
    ),
    problems,
  };
}

interface Refusal {
  readonly message: string;
  readonly fix: string;
}

class Expander {
  /** Keys that some value asked for. */
  readonly used = new Set<string>();
  readonly #definitions: ReadonlyMap<string, string>;
  readonly #expanded = new Map<string, string | Refusal>();
  readonly #open = new Set<string>();
  #total = 0;

  constructor(definitions: ReadonlyMap<string, string>) {
    this.#definitions = definitions;
  }

  expand(text: string, keepsFields: boolean): string | Refusal {
    let result = "";
    let rest = 0;
    for (;;) {
      const start = text.indexOf("%(", rest);
      const end = start === -1 ? -1 : text.indexOf(")", start);
      if (end === -1) {
        if (rest === 0) return text;
        result += text.slice(rest);
        this.#total += result.length;
        const tooLong = result.length > MAX_VALUE_LENGTH || this.#total > MAX_TOTAL_LENGTH;
        return tooLong ? TOO_LONG : result;
      }
      const name = text.slice(start + 2, end);
      const value = this.#definition(name.trim());
      if (typeof value === "object") return value;
      if (value === undefined && !keepsFields) {
        return {
          message: `'%(${quoteValue(name)})' is not defined in this file`,
          fix: `add a line '${quoteValue(name)} = …', or correct the name`,
        };
      }
      result += text.slice(rest, start) + (value ?? text.slice(start, end + 1));
      if (result.length > MAX_VALUE_LENGTH) return TOO_LONG;
      rest = end + 1;
    }
  }

  #definition(name: string): string | undefined | Refusal {
    const text = this.#definitions.get(name);
    if (text === undefined) return undefined;
    this.used.add(name);
    const known = this.#expanded.get(name);
    if (known !== undefined) return known;
    if (this.#open.has(name) || this.#open.size > 64) {
      return {
        message: `'%(${quoteValue(name)})' leads back to itself, or through more than 64 others`,
        fix: "break the circle of placeholders",
      };
    }
    this.#open.add(name);
    const expanded = this.expand(text, false);
    this.#open.delete(name);
    this.#expanded.set(name, expanded);
    return expanded;
  }
}

const TOO_LONG: Refusal = {
  message: `placeholders make the value longer than ${MAX_VALUE_LENGTH} characters`,
  fix: "write the value without placeholders",
};

/** What %(key) stands for; the last definition wins. */
function definitionsOf(entries: readonly RawEntry[]): ReadonlyMap<string, string> {
  const definitions = new Map<string, string>();
  for (const { key, value } of entries) {
    for (const item of value.kind === "list" ? value.items : [value]) {
      if (item.kind !== "scalar") continue;
      const equals = item.text.indexOf("=");
      if (!SETTERS.has(key)) definitions.set(key, item.text);
      else if (equals > 0) {
        definitions.set(item.text.slice(0, equals).trim(), item.text.slice(equals + 1).trim());
      }
    }
  }
  return definitions;
}

/** The same value with every text in it replaced. */
function mapScalars(value: RawValue, change: (text: string, at: Place) => string): RawValue {
  if (value.kind === "scalar") return { ...value, text: change(value.text, value.at) };
  if (value.kind === "list") {
    return { ...value, items: value.items.map((item) => mapScalars(item, change)) };
  }
  const entries = value.entries.map((entry) => ({
    ...entry,
    value: mapScalars(entry.value, change),
  }));
  return { ...value, entries };
}
