/** Which names in a listing are vassals, which are noise, and which are refused with a reason. Pure. */
import { vassalNameProblem } from "../../core/vassal-name.ts";
import type { RefusedFile } from "../../stats/emperor-snapshot.ts";

const EXTENSIONS = [".yaml", ".yml", ".json", ".ini"] as const;

/** Vim's probe for a writable folder. */
const VIM_PROBE = /^\d{4,5}$/;

export interface Candidates {
  /** Vassal name to the path of its file. */
  readonly files: ReadonlyMap<string, string>;
  readonly refused: readonly RefusedFile[];
}

/**
 * @param listing names of each folder, in the order in which people named the folders
 * @param running the file that each known vassal was made from: among duplicates it stays
 */
export function chooseCandidates(
  listing: readonly { readonly folder: string; readonly names: readonly string[] }[],
  running: ReadonlyMap<string, string>,
): Candidates {
  const claims = new Map<string, string[]>();
  const refused: RefusedFile[] = [];
  for (const { folder, names } of listing) {
    for (const entry of names) {
      const name = vassalNameOf(entry);
      if (name === undefined) continue;
      const file = `${folder}/${entry}`;
      const problem = vassalNameProblem(name);
      if (problem === undefined) claims.set(name, [...(claims.get(name) ?? []), file]);
      else refused.push({ file, reason: `Cannot take it as a vassal: ${problem}` });
    }
  }
  const files = new Map<string, string>();
  for (const [name, paths] of claims) {
    const kept = paths.length === 1 ? paths[0] : paths.find((path) => path === running.get(name));
    if (kept !== undefined) files.set(name, kept);
    for (const file of paths.filter((path) => path !== kept)) {
      refused.push({ file, reason: duplicateReason(name, file, paths, kept) });
    }
  }
  return { files, refused };
}

/** The vassal name that a file name stands for, or undefined when it is not meant as a vassal. */
export function vassalNameOf(entry: string): string | undefined {
  const extension = EXTENSIONS.find((each) => entry.endsWith(each));
  if (extension === undefined || isNoise(entry)) return undefined;
  const name = entry.slice(0, -extension.length);
  return name === "" ? undefined : name;
}

/** Hidden files, and what editors, rsync, dpkg and friends leave beside a file. */
function isNoise(entry: string): boolean {
  return (
    entry.startsWith(".") ||
    entry.startsWith("#") ||
    entry.startsWith("~") ||
    entry.endsWith("~") ||
    VIM_PROBE.test(entry) ||
    /\.(?:tmp|swp|swx|swo|bak|orig|rej|part|dpkg-[a-z]+|rpm[a-z]+)(?:\.|$)/.test(entry)
  );
}

function duplicateReason(
  name: string,
  file: string,
  paths: readonly string[],
  kept: string | undefined,
): string {
  const others = paths.filter((path) => path !== file).map((path) => `"${path}"`);
  const state = kept === undefined ? "none of them is taken" : `"${kept}" stays`;
  return `Cannot take it as vassal "${name}": ${others.join(", ")} has the same name, ${state}`;
}
