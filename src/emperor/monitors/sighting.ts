/** Reads a vassal file and its identity without ever blocking on a pipe or reading more than the limit. */
import { createHash } from "node:crypto";
import { lstatSync, statSync } from "node:fs";
import type { BigIntStats } from "node:fs";
import { messageOf, systemCode } from "../../core/errors.ts";
import { readBounded } from "../../platform/files.ts";

/** Larger files are refused by their size, before reading. */
export const VASSAL_FILE_MAX_BYTES = 1024 ** 2;

/** Names one state of one file: link and target both count, so that a re-pointed link is a change. */
export type Identity =
  | {
      readonly kind: "file";
      readonly key: string;
      /** The newest time that the file carries, wall-clock milliseconds. */
      readonly changedAtMs: number;
      readonly isLink: boolean;
    }
  | { readonly kind: "other"; readonly what: string }
  | { readonly kind: "absent" };

export function identityOf(path: string): Identity {
  try {
    const link = lstatSync(path, { bigint: true });
    if (!link.isSymbolicLink()) return describe(link, [link], false);
    const target = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (target === undefined) return { kind: "other", what: "a symbolic link that leads nowhere" };
    return describe(target, [link, target], true);
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT") return { kind: "absent" };
    return {
      kind: "other",
      what: code === "ELOOP" ? "a symbolic link to itself" : messageOf(error),
    };
  }
}

/** The identity of any file, also of a folder, as one text; "" when there is none. For `touch` files. */
export function identityKey(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? "" : keyOf(stat);
}

function describe(target: BigIntStats, all: readonly BigIntStats[], isLink: boolean): Identity {
  if (!target.isFile()) return { kind: "other", what: `${kindOf(target)}, not a regular file` };
  const times = all.map((stat) =>
    Number((stat.ctimeNs > stat.mtimeNs ? stat.ctimeNs : stat.mtimeNs) / 1_000_000n),
  );
  return { kind: "file", key: all.map(keyOf).join("|"), changedAtMs: Math.max(...times), isLink };
}

function keyOf(stat: BigIntStats): string {
  return `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
}

function kindOf(stat: BigIntStats): string {
  if (stat.isDirectory()) return "a directory";
  if (stat.isFIFO()) return "a named pipe";
  if (stat.isSocket()) return "a socket";
  return "a device";
}

export type Content =
  | { readonly ok: true; readonly hash: string; readonly bytes: Buffer }
  | { readonly ok: false; readonly reason: string };

export function readContent(path: string): Content {
  const content = readBounded(path, { maxBytes: VASSAL_FILE_MAX_BYTES });
  if (!content.ok) return { ok: false, reason: `Cannot read "${path}": ${content.reason}` };
  const { bytes } = content;
  return { ok: true, hash: createHash("sha256").update(bytes).digest("hex"), bytes };
}
