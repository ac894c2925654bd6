/** The option table as text for people: what `explain` prints, and the reference page. */
import { firstSentence } from "./flags.ts";
import type { Family, OptionSpec, Scope } from "./option.ts";
import { FAMILIES, flatName } from "./option.ts";
import { INDEX, OPTIONS, usableOptions } from "./options/registry.ts";
import { escapeText } from "./problem.ts";
import { nearest } from "./suggest.ts";

const WIDTH = 80;

/** The value without the key, as it would be written in a file. */
export function defaultText(spec: OptionSpec<unknown>): string {
  if (spec.defaultText !== undefined) return spec.defaultText;
  return spec.default === undefined ? "none" : spec.type.show(spec.default);
}

/** Every key in its family with one sentence. */
export function explainAll(): string {
  const sections = familyGroups().map(([family, specs]) => {
    const lines = specs.map((spec) => `  ${spec.name.padEnd(24)}${firstSentence(spec.doc)}`);
    return `${FAMILIES[family]}\n${lines.map((line) => clip(line)).join("\n")}`;
  });
  return `${sections.join("\n\n")}\n\n'tsgi-emperor explain KEY' says more about one key\n`;
}

/** One key under any of its names, or undefined. Options of vassal files come before the emperor's. */
export function explainKey(key: string): string | undefined {
  const wanted = key.replace(/^--/, "");
  const found = (["vassal", "emperor"] as const)
    .map((scope) => INDEX[scope].spellings.get(wanted)?.spec)
    .find((spec) => spec !== undefined);
  if (found !== undefined) return explainSpec(found, wanted);
  const group = (["vassal", "emperor"] as const).flatMap((scope) =>
    usableOptions(scope).filter(({ name }) => name.startsWith(`${wanted}.`)),
  );
  if (group.length === 0) return undefined;
  const lines = group.map((spec) => `  ${spec.name.padEnd(24)}${firstSentence(spec.doc)}`);
  return `${wanted} is a mapping of these keys\n${lines.map((line) => clip(line)).join("\n")}\n`;
}

/** What to say about a key that does not exist. */
export function unknownKeyText(key: string): string {
  const names = [...INDEX.vassal.spellings.keys(), ...INDEX.emperor.spellings.keys()];
  const meant = nearest(key, names);
  const hint =
    meant === undefined ? "'tsgi-emperor explain' lists all keys" : `did you mean '${meant}'?`;
  return `Cannot explain "${escapeText(key)}": unknown key; ${hint}\n`;
}

/** The reference page in Markdown. */
export function referencePage(): string {
  const parts = ["# Keys of a vassal file", "", "Made from the option table; do not edit.", ""];
  for (const [family, specs] of familyGroups()) {
    parts.push(`## ${FAMILIES[family]}`, "");
    for (const spec of specs) {
      parts.push(`### \`${spec.name}\``, "", spec.doc, "");
      parts.push(`- Takes ${spec.type.label}`, `- Default: ${defaultText(spec)}`);
      if (spec.only !== undefined) parts.push(`- Only for ${spec.only.join(", ")}`);
      if (spec.aliases.length > 0) parts.push(`- uWSGI's names: ${aliasText(spec, "`")}`);
      parts.push(`- Since ${spec.since}`, "", "```yaml", spec.example, "```", "");
    }
  }
  const ignored = OPTIONS.filter(({ family }) => family === "ignored");
  parts.push(`## ${FAMILIES.ignored}`, "");
  for (const spec of ignored) parts.push(`- \`${spec.name}\`: ${spec.doc}`);
  return `${parts.join("\n")}\n`;
}

function explainSpec(spec: OptionSpec<unknown>, wanted: string): string {
  if (spec.family === "ignored") {
    return `${spec.name} is an option of uWSGI that tsgi ignores: ${spec.doc}\n`;
  }
  if (spec.family === "later") return `${spec.name} is not available in this release\n`;
  const also = wanted === spec.name || wanted === flatName(spec.name) ? "" : ` (${wanted})`;
  const file = spec.scope === "emperor" ? "emperor.yaml" : "a vassal file";
  const rows = [
    ["takes", spec.type.label],
    ["default", defaultText(spec)],
    ...(spec.only === undefined ? [] : [["for", spec.only.join(", ")]]),
    ["example", spec.example],
    ...(spec.aliases.length === 0 ? [] : [["uWSGI", aliasText(spec, "")]]),
    ...(spec.scope === "vassal" ? [["flag", `--${flatName(spec.name)} <${spec.type.word}>`]] : []),
    ["since", spec.since],
  ];
  const table = rows.map(([name = "", text = ""]) => `  ${name.padEnd(9)}${wrap(text, 11)}`);
  return `${spec.name}${also}, a key of ${file}\n\n  ${wrap(spec.doc, 2)}\n\n${table.join("\n")}\n`;
}

function aliasText(spec: OptionSpec<unknown>, quote: string): string {
  return spec.aliases
    .map(({ name, note }) => `${quote}${name}${quote}${note === undefined ? "" : ` (${note})`}`)
    .join(", ");
}

function familyGroups(): [Family, OptionSpec<unknown>[]][] {
  const scopes: readonly Scope[] = ["vassal", "emperor"];
  const groups = new Map<Family, OptionSpec<unknown>[]>();
  for (const spec of scopes.flatMap((scope) => usableOptions(scope))) {
    groups.set(spec.family, [...(groups.get(spec.family) ?? []), spec]);
  }
  const order = Object.keys(FAMILIES);
  return [...groups].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
}

/** Words in lines of at most WIDTH characters; further lines are indented. */
function wrap(text: string, indent: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.join(`\n${" ".repeat(indent)}`);
}

function clip(line: string): string {
  return line.length <= 100 ? line : `${line.slice(0, 99)}…`;
}
