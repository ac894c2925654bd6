/** One owner for a folder: the kernel's lock on an open file. It ends with its process, however that ends. */
import { closeSync, constants, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { tryLock } from "./native.ts";

export type LockResult =
  | { readonly held: true; release(): void }
  /** Somebody else holds it; `pid` is what they wrote into the file, 0 when that is unreadable. */
  | { readonly held: false; readonly pid: number };

/** Takes the lock of `path` for this process and writes the pid into the file. Throws the system's errors. */
export function takeLock(path: string): LockResult {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
  try {
    if (!tryLock(fd)) {
      const pid = readPid(fd);
      closeSync(fd);
      return { held: false, pid };
    }
    ftruncateSync(fd, 0);
    writeSync(fd, `${process.pid}\n`, 0);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  // The file stays: removing it would let two processes lock two files of one name.
  return {
    held: true,
    release: () => {
      closeSync(fd);
    },
  };
}

function readPid(fd: number): number {
  const buffer = Buffer.alloc(16);
  const text = buffer.toString("latin1", 0, readSync(fd, buffer, 0, buffer.length, 0));
  const pid = Number(/^(\d+)\n/.exec(text)?.[1]);
  return Number.isSafeInteger(pid) ? pid : 0;
}
