/** Test data of other projects, played from beside the checkout when it is there; never copied into it. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const FOLDER = fileURLToPath(new URL("../../../shared/cases/", import.meta.url));

/** For the `skip` of a test: false when the set is there, else which one is missing. */
export function missingCases(set: string): string | false {
  return existsSync(`${FOLDER}${set}`) ? false : `the data set ${set} is not in ../shared/cases`;
}

/** The lines of a JSON-lines file; nothing when the set is missing. */
export function jsonLines(path: string): readonly unknown[] {
  if (!existsSync(FOLDER + path)) return [];
  const text = readFileSync(FOLDER + path, "utf8").trim();
  return text.split("\n").map((line): unknown => JSON.parse(line));
}

/** The inputs of a file that is gzip of one base64 text a line. */
export function packedInputs(path: string): readonly Buffer[] {
  if (!existsSync(FOLDER + path)) return [];
  const text = gunzipSync(readFileSync(FOLDER + path))
    .toString("latin1")
    .trim();
  return text.split("\n").map((line) => Buffer.from(line, "base64"));
}

/** The list of naughty strings; nothing when the set is missing. */
export function naughtyStrings(): readonly string[] {
  const path = `${FOLDER}naughty-strings/blns.json`;
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as readonly string[]) : [];
}
