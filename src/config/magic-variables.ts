/** uWSGI's variables of one letter that come from the path of the file itself: %n, %d, %p … */
import { baseOf, folderOf } from "./types/path.ts";

/** Letter => text; upper case is the same here, since no file includes another. */
export function magicVariables(file: string): ReadonlyMap<string, string> {
  const folder = folderOf(file);
  const name = baseOf(file);
  const dot = name.lastIndexOf(".");
  const lower: [string, string][] = [
    ["p", file],
    ["o", file],
    ["s", name],
    ["d", folder === "/" ? "/" : `${folder}/`],
    ["v", folder],
    ["c", baseOf(folder)],
    ["n", dot > 0 ? name.slice(0, dot) : name],
    ["e", dot > 0 ? name.slice(dot + 1) : ""],
  ];
  const upper = lower.map(([letter, text]): [string, string] => [letter.toUpperCase(), text]);
  // %V is uWSGI's version, not the upper-case %v.
  return new Map([...lower, ...upper.filter(([letter]) => letter !== "V")]);
}

/** uWSGI's magic letters that depend on the machine or the moment. */
const REFUSED_MAGIC = "VhtTxXiIkuUgGjJb0123456789[";

/** `text` with its magic variables; calls `refuse` for what would read or run something. */
export function expandMagic(
  text: string,
  magic: ReadonlyMap<string, string>,
  refuse: (message: string, fix: string) => void,
): string {
  if (text.includes("$(")) {
    refuse("'$(…)' is not expanded: a vassal file reads nothing from outside", "write the value");
    return text;
  }
  if (text.includes("@(")) {
    refuse("'@(…)' is not expanded: a vassal file runs and reads nothing", "write the value");
    return text;
  }
  let refused = false;
  return text.replace(/%([^(])/g, (whole, letter: string) => {
    const value = magic.get(letter);
    if (value !== undefined) return value;
    if (REFUSED_MAGIC.includes(letter) && !refused) {
      refused = true;
      refuse(`the magic variable '%${letter}' is not supported`, "write the value");
    }
    return whole;
  });
}
