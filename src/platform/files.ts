/** Bounded reads, atomic writes and appends. What goes wrong with a file is a value: the caller has to live on. */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { messageOf, systemCode } from "../core/errors.ts";
import { formatSize } from "../core/size.ts";

/** What went wrong, as a half sentence for "Cannot read …: …", and the system's name for it. */
export interface FileProblem {
  readonly ok: false;
  /** "ENOENT" and so on; "ENOTREG" and "ETOOBIG" are ours. */
  readonly code: string;
  readonly reason: string;
}

/** Identity and content that belong together: both come from the same open file. */
export interface FileContent {
  readonly ok: true;
  readonly bytes: Buffer;
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: number;
  readonly uid: number;
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

export interface ReadOptions {
  /** Largest file; a bigger one is refused before a byte of it is read. */
  readonly maxBytes: number;
  /** Refuse when the path itself is a symbolic link. */
  readonly noFollow?: boolean;
}

/** Reads a regular file that is not too big. Pipes, devices and folders are refused without waiting for them. */
export function readBounded(path: string, options: ReadOptions): FileContent | FileProblem {
  let fd: number | undefined;
  try {
    const kind = options.noFollow === true ? undefined : statSync(path);
    // Opening a device can have effects, so look before opening, and again at what was opened.
    if (kind !== undefined && !kind.isFile()) return notRegular(kind);
    const follow = options.noFollow === true ? constants.O_NOFOLLOW : 0;
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | follow);
    const stats = fstatSync(fd, { bigint: true });
    if (!stats.isFile()) return notRegular(stats);
    if (stats.size > options.maxBytes) return tooBig(options.maxBytes);
    const bytes = readAll(fd, Number(stats.size), options.maxBytes);
    if (bytes === undefined) return tooBig(options.maxBytes);
    return {
      ok: true,
      bytes,
      dev: stats.dev,
      ino: stats.ino,
      mode: Number(stats.mode),
      uid: Number(stats.uid),
      sizeBytes: Number(stats.size),
      mtimeNs: stats.mtimeNs,
      ctimeNs: stats.ctimeNs,
    };
  } catch (error) {
    return fileProblem(error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** All bytes, also of a file that grows or of one in /proc that claims to be empty; undefined beyond the limit. */
function readAll(fd: number, expectedBytes: number, maxBytes: number): Buffer | undefined {
  let buffer = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(expectedBytes, 0)) + 1);
  let length = 0;
  for (;;) {
    if (length === buffer.length) {
      if (length > maxBytes) return undefined;
      const grown = Buffer.allocUnsafe(Math.min(maxBytes + 1, buffer.length * 2));
      buffer.copy(grown);
      buffer = grown;
    }
    const count = readSync(fd, buffer, length, buffer.length - length, null);
    if (count === 0) return length > maxBytes ? undefined : buffer.subarray(0, length);
    length += count;
  }
}

/**
 * Replaces a file in one step: readers see the old content or the new one, also after a power cut.
 *
 * @returns what went wrong, else undefined; then nothing is left of the attempt
 */
export function writeAtomic(
  path: string,
  data: string | Uint8Array,
  options: { readonly mode?: number; readonly durable?: boolean } = {},
): FileProblem | undefined {
  const mode = options.mode ?? 0o644;
  const draft = join(
    dirname(path),
    `.${basename(path).slice(0, 200)}.${randomBytes(6).toString("hex")}.tmp`,
  );
  let fd: number | undefined;
  try {
    fd = openSync(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
    // The umask has cut the mode of open(2).
    fchmodSync(fd, mode);
    writeAll(fd, data);
    if (options.durable !== false) fsyncSync(fd);
    closeSync(fd);
    fd = undefined;
    renameSync(draft, path);
    return undefined;
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    removeQuietly(draft);
    return fileProblem(error);
  }
}

/** The first problem is the one to tell: where a file stands for the folder, rmSync throws ENOTDIR even by force. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
}

/** Adds to the end of a file, creating it with `mode`; what went wrong, else undefined. */
export function appendText(path: string, text: string, mode = 0o640): FileProblem | undefined {
  let fd: number | undefined;
  try {
    const flags =
      constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
    // Without O_NONBLOCK a pipe in its place would stop the whole process.
    fd = openSync(path, flags | constants.O_NONBLOCK, mode);
    const stats = fstatSync(fd);
    if (!stats.isFile()) return notRegular(stats);
    writeAll(fd, text);
    return undefined;
  } catch (error) {
    return fileProblem(error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** write(2) may take a part only: the disk is full in the middle of a record, or a signal came. */
function writeAll(fd: number, data: string | Uint8Array): void {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  let offset = 0;
  while (offset < bytes.length) offset += writeSync(fd, bytes, offset);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist",
  ENOTDIR: "a part of its path is not a folder",
  EACCES: "this user has no right to it",
  EPERM: "this user has no right to it",
  EISDIR: "it is a folder, not a regular file",
  ELOOP: "its symbolic links go in a circle, or it is a link where none is allowed",
  ENAMETOOLONG: "its name is too long",
  ENXIO: "it is a pipe or socket, not a regular file",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  EMFILE: "too many open files",
};

/** Turns a system error into a value; anything else goes on as an exception. */
export function fileProblem(error: unknown): FileProblem {
  const code = systemCode(error);
  if (code === undefined) throw error;
  return { ok: false, code, reason: REASONS[code] ?? messageOf(error) };
}

interface KindOfFile {
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}

function notRegular(stats: KindOfFile): FileProblem {
  let kind = "a device";
  if (stats.isDirectory()) kind = "a folder";
  else if (stats.isFIFO()) kind = "a pipe";
  else if (stats.isSocket()) kind = "a socket";
  return { ok: false, code: "ENOTREG", reason: `it is ${kind}, not a regular file` };
}

function tooBig(maxBytes: number): FileProblem {
  return { ok: false, code: "ETOOBIG", reason: `it is bigger than ${formatSize(maxBytes)}` };
}
