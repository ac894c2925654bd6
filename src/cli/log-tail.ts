/** Reads one log file from its end and then as it grows, across rotation by renaming and by copy and truncate. */
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import { systemCode } from "../core/errors.ts";

const BLOCK_BYTES = 65_536;
/** A line that never ends is shown in pieces of this size. */
const LINE_MAX = 65_536;

export class LogTail {
  readonly path: string;
  #fd: number | undefined;
  #inode = 0;
  #offset = 0;
  #rest = "";
  #decoder = new TextDecoder();

  constructor(path: string) {
    this.path = path;
  }

  /** The last `count` lines; growth is reported from here on. A file that does not exist yet is empty. */
  lastLines(count: number): readonly string[] {
    if (!this.#open()) return [];
    const end = fstatSync(this.#fd ?? 0).size;
    let start = end;
    let text = Buffer.alloc(0);
    while (start > 0 && newlines(text) <= count) {
      const from = Math.max(0, start - BLOCK_BYTES);
      text = Buffer.concat([this.#readAt(from, start - from), text]);
      start = from;
    }
    this.#offset = end;
    const lines = text.toString().split("\n");
    // Behind the last line feed is a line that is still being written.
    this.#rest = lines.pop() ?? "";
    return count === 0 ? [] : lines.slice(-count);
  }

  /** Whole lines that came since the last call. */
  newLines(): readonly string[] {
    const lines = this.#fd === undefined ? [] : [...this.#grown()];
    if (!this.#isReplaced()) return lines;
    this.close();
    return this.#open() ? [...lines, ...this.#grown()] : lines;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#rest = "";
    this.#decoder = new TextDecoder();
  }

  #open(): boolean {
    try {
      this.#fd = openSync(this.path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (systemCode(error) === "ENOENT") return false;
      throw error;
    }
    this.#inode = fstatSync(this.#fd).ino;
    this.#offset = 0;
    return true;
  }

  #isReplaced(): boolean {
    if (this.#fd === undefined) return true;
    const now = statSync(this.path, { throwIfNoEntry: false });
    return now !== undefined && now.ino !== this.#inode;
  }

  #grown(): readonly string[] {
    const size = fstatSync(this.#fd ?? 0).size;
    // Copied and truncated: what stands there now is new.
    if (size < this.#offset) {
      this.#offset = 0;
      this.#rest = "";
    }
    const lines: string[] = [];
    for (;;) {
      const block = this.#readAt(this.#offset, BLOCK_BYTES);
      if (block.length === 0) return lines;
      this.#offset += block.length;
      const parts = (this.#rest + this.#decoder.decode(block, { stream: true })).split("\n");
      this.#rest = parts.pop() ?? "";
      lines.push(...parts);
      if (this.#rest.length > LINE_MAX) {
        lines.push(this.#rest);
        this.#rest = "";
      }
    }
  }

  #readAt(offset: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(length);
    const count = readSync(this.#fd ?? 0, buffer, 0, length, offset);
    return buffer.subarray(0, count);
  }
}

function newlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) count += 1;
  return count;
}
