/** Opens the log of a vassal so that it outlives every process: append only, no links followed, never a pipe. */
import { closeSync, constants, fstatSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { messageOf, systemCode, TsgiError } from "../core/errors.ts";

/** Codes that mean "no room or read-only", which must not stop an application. */
const NO_ROOM = new Set(["ENOSPC", "EDQUOT", "EROFS", "EIO"]);

/** In place of a path: output stays on the terminal of `tsgi run`. */
export const STANDARD_OUTPUT = "-";

export interface OpenedLog {
  readonly fd: number;
  /** The descriptor is not ours to close. */
  readonly borrowed?: boolean;
  /** Set when output goes to /dev/null instead, with the reason. */
  readonly warning?: string;
}

/**
 * Throws TSGI_SPAWN_FAILED on a path that is wrong; a full disk only yields a warning.
 *
 * @param isChosen whether the vassal file names this path; trouble with the default one stops nobody
 */
export function openLog(name: string, path: string, isChosen: boolean): OpenedLog {
  if (path === STANDARD_OUTPUT) return { fd: 1, borrowed: true };
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
    const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
    const fd = openSync(
      path,
      O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
      0o640,
    );
    const kind = fstatSync(fd);
    if (kind.isFile() || kind.isCharacterDevice()) return { fd };
    closeSync(fd);
  } catch (error) {
    const code = systemCode(error) ?? "";
    if (NO_ROOM.has(code) || (!isChosen && code !== "")) {
      return {
        fd: openSync("/dev/null", constants.O_WRONLY),
        warning: `Cannot open log "${path}": ${code}, output is dropped`,
      };
    }
    const why = code === "ELOOP" ? "it is a symbolic link" : messageOf(error);
    throw new TsgiError(
      "TSGI_SPAWN_FAILED",
      `Cannot start vassal "${name}": cannot open log "${path}": ${why}; correct "log"`,
      { cause: error },
    );
  }
  throw new TsgiError(
    "TSGI_SPAWN_FAILED",
    `Cannot start vassal "${name}": log "${path}" is not a regular file; correct "log"`,
  );
}
