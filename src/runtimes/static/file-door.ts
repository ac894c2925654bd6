/** The only file of this runtime that touches the file system: opens what is inside the root, and nothing else. */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  read,
  readSync,
  readlinkSync,
  realpathSync,
  statSync,
  type BigIntStats,
} from "node:fs";
import { systemCode } from "../../core/errors.ts";
import type { FileState } from "./entity-tag.ts";
import { isHidden } from "./path-policy.ts";

/** Linux: a descriptor that names a file without opening it, so that no FIFO blocks and no device notices. */
const O_PATH = 0o10000000;
const STAT_OPTIONS = { bigint: true, throwIfNoEntry: false } as const;

export type Found =
  | { readonly kind: "file"; readonly file: OpenFile }
  | { readonly kind: "directory" }
  | { readonly kind: "missing" }
  /** It is there but must not or cannot be read; the reason is for the log. */
  | { readonly kind: "forbidden"; readonly reason: string };

export interface OpenFile {
  readonly state: FileState;
  readonly sizeBytes: number;
  /** Reads at `position`; a count of 0 means that the file ends there. The buffer is filled from its start. */
  read(buffer: Buffer, position: number, done: (error: Error | null, count: number) => void): void;
  /** All of a small file at once, or undefined when it is shorter than it said. */
  readAll(): Buffer | undefined;
  close(): void;
}

/** A directory to serve from; its place is fixed at creation (what a symlink says later does not count). */
export class Root {
  readonly path: string;
  readonly #prefix: string;
  readonly #followSymlinks: boolean;

  /** Throws the system's error when there is no such directory. */
  constructor(path: string, options: { readonly followSymlinks: boolean }) {
    this.path = realpathSync(path);
    this.#prefix = this.path === "/" ? "/" : `${this.path}/`;
    this.#followSymlinks = options.followSymlinks;
    closeSync(openSync(this.path, constants.O_RDONLY | constants.O_DIRECTORY));
    statSync("/proc/self/fd");
  }

  /** What the path is now, symlinks followed; undefined when there is nothing (or nothing to be seen). */
  stateOf(relative: string): FileState | undefined {
    try {
      return statSync(this.#prefix + relative, STAT_OPTIONS);
    } catch {
      return undefined; // Opening it finds the reason.
    }
  }

  /** Opens a regular file. `relative` comes from `mapTarget`: names without dots, joined by "/". */
  open(relative: string): Found {
    const path = this.#prefix + relative;
    let handle: number | undefined;
    try {
      handle = openSync(path, O_PATH);
      return this.#inspect(path, handle);
    } catch (error) {
      return failure(error);
    } finally {
      if (handle !== undefined) closeSync(handle);
    }
  }

  /** The descriptor cannot change what it names, so checks on it cannot be overtaken by a rename. */
  #inspect(path: string, handle: number): Found {
    const link = `/proc/self/fd/${handle}`;
    const real = readlinkSync(link);
    if (real !== path && real !== this.path && !this.#allows(real)) {
      return { kind: "forbidden", reason: "it leads out of the root, or to a hidden name" };
    }
    const state = fstatSync(handle, { bigint: true });
    if (state.isDirectory()) return { kind: "directory" };
    if (!state.isFile()) return { kind: "forbidden", reason: "it is not a regular file" };
    const fd = openSync(link, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    return { kind: "file", file: openFile(fd, state) };
  }

  /**
   * Without `followSymlinks` a link works as long as it stays inside the root and names nothing hidden; with it the
   * operator's links lead wherever they lead.
   */
  #allows(real: string): boolean {
    if (this.#followSymlinks) return true;
    if (!real.startsWith(this.#prefix)) return false;
    return !isHidden(real.slice(this.#prefix.length).split("/"));
  }
}

function openFile(fd: number, state: BigIntStats): OpenFile {
  const sizeBytes = Number(state.size);
  let reading = false;
  let closed = false;
  return {
    state,
    sizeBytes,
    read(buffer, position, done) {
      reading = true;
      read(fd, buffer, 0, buffer.length, position, (error, count) => {
        reading = false;
        if (closed) closeSync(fd);
        else done(error, count);
      });
    },
    readAll() {
      const buffer = Buffer.allocUnsafeSlow(sizeBytes);
      let filled = 0;
      while (filled < sizeBytes) {
        const count = readSync(fd, buffer, filled, sizeBytes - filled, filled);
        if (count === 0) return undefined;
        filled += count;
      }
      return buffer;
    },
    close() {
      if (closed) return;
      closed = true;
      // A descriptor closed under a read could by then be another file's.
      if (!reading) closeSync(fd);
    },
  };
}

function failure(error: unknown): Found {
  switch (systemCode(error)) {
    case "ENOENT":
    case "ENOTDIR":
    case "ENAMETOOLONG":
    case "ENXIO":
      return { kind: "missing" };
    case "EACCES":
    case "EPERM":
    case "ELOOP":
      return { kind: "forbidden", reason: `the system says ${systemCode(error)}` };
    case undefined:
    default:
      throw error;
  }
}
