/** Every option of a loaded file with the value in force and where it came from: `check --resolved`. */
import { defaultText } from "./manual.ts";
import { usableOptions } from "./options/registry.ts";
import { escapeText } from "./problem.ts";
import type { Setting } from "./settings.ts";

export interface ResolvedOption {
  readonly key: string;
  /** As it would be written in a file; for a default that is not one value, words. */
  readonly value: string;
  readonly source: "file" | "default";
  /** The name used in the file, and its line; null for defaults. */
  readonly writtenAs: string | null;
  readonly line: number | null;
}

/** What was given first, then the defaults, both in the order of the table. */
export function resolveOptions(settings: readonly Setting[]): readonly ResolvedOption[] {
  const given = new Map(settings.map((setting) => [setting.spec.name, setting]));
  const options = usableOptions("vassal").map((spec): ResolvedOption => {
    const setting = given.get(spec.name);
    if (setting === undefined) {
      const value = defaultText(spec);
      return { key: spec.name, value, source: "default", writtenAs: null, line: null };
    }
    const { origin, value } = setting;
    return {
      key: spec.name,
      value: spec.type.show(value),
      source: "file",
      writtenAs: origin.key,
      line: origin.line,
    };
  });
  return [
    ...options.filter(({ source }) => source === "file"),
    ...options.filter(({ source }) => source === "default"),
  ];
}

/** One line for each option, for people. */
export function resolvedText(options: readonly ResolvedOption[]): string {
  const lines = options.map(({ key, value, source, writtenAs, line }) => {
    const renamed = writtenAs === key ? "" : `${writtenAs}, `;
    const origin = source === "default" ? "default" : `${renamed}line ${line}`;
    return escapeText(`  ${key.padEnd(24)}${value}   # ${origin}`);
  });
  return `${lines.join("\n")}\n`;
}
