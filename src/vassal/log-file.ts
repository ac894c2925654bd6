/** The vassal's log file: tagged lines, appended whole; bounded on disk, and never a reason to stop serving. */
import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  ftruncateSync,
  openSync,
  statSync,
  writeSync,
} from "node:fs";
import { messageOf, systemCode } from "../core/errors.ts";
import { STANDARD_OUTPUT } from "../launch/log-file.ts";

/** Rotation by copy and truncate, so that every descriptor with O_APPEND on the file stays valid. */
const ROTATE_BYTES = 16 * 1024 * 1024;
const LINE_MAX = 8192;
/** Lines wait for the end of the event-loop turn: a busy request log costs one write for many lines. */
const FLUSH_BYTES = 64 * 1024;
const LOOK_EVERY_MS = 1000;
/** Standard output: the same log, opened by the launcher before it gave up its rights. */
const INHERITED_FD = 1;

export interface LogTag {
  readonly name: string;
  readonly generation: number;
}

export type LogStream = "out" | "err" | "tsgi" | "req";

/** Opens on first use; a file that cannot be written drops lines, counts them, and says so when it can again. */
export class LogFile {
  readonly #path: string;
  readonly #tag: string;
  #fd: number | undefined;
  #pending: string[] = [];
  #pendingBytes = 0;
  #scheduled = false;
  #writtenBytes = 0;
  #dropped = 0;
  #lookedAtMs = 0;

  constructor(path: string, tag: LogTag) {
    this.#path = path;
    this.#tag = `${tag.name}#${tag.generation}`;
  }

  /** One line of worker `worker` (0: the vassal process). Control characters are escaped, so a line stays one line. */
  line(worker: number, stream: LogStream, text: string): void {
    const stamp = new Date().toISOString();
    const entry = `${stamp} ${this.#tag} w${worker} ${stream}| ${oneLine(text)}\n`;
    this.#pending.push(entry);
    this.#pendingBytes += entry.length;
    if (this.#pendingBytes >= FLUSH_BYTES) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.flush());
    }
  }

  /** Writes what is waiting; called by itself once a turn, and by hand before the process ends. */
  flush(): void {
    this.#scheduled = false;
    if (this.#pending.length === 0) return;
    const lines = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    try {
      this.#followRename();
      this.#fd ??= openAppend(this.#path);
      if (this.#dropped > 0) lines.unshift(this.#droppedLine());
      this.#writtenBytes += writeSync(this.#fd, lines.join(""));
      this.#dropped = 0;
      if (this.#writtenBytes >= ROTATE_BYTES / 8) this.#rotateIfLarge(this.#fd);
    } catch (error) {
      // ENOSPC, EROFS, EACCES …: the log is not worth an outage. Count, and try again with the next lines.
      this.#dropped += lines.length;
      this.#forget(error);
    }
  }

  /** Somebody else's rotation (rename, or removal) is noticed within a second of the next line. */
  #followRename(): void {
    const nowMs = performance.now();
    if (this.#fd === undefined || nowMs - this.#lookedAtMs < LOOK_EVERY_MS) return;
    this.#lookedAtMs = nowMs;
    if (this.#fd === INHERITED_FD) return;
    const there = statSync(this.#path, { throwIfNoEntry: false });
    if (there?.ino !== fstatSync(this.#fd).ino) this.#forget("the file was rotated");
  }

  #droppedLine(): string {
    return `${new Date().toISOString()} ${this.#tag} w0 tsgi| ${this.#dropped} log lines were lost: the file could not be written\n`;
  }

  /** The next line opens the path anew. */
  #forget(why: unknown): void {
    if (this.#fd === undefined || this.#fd === INHERITED_FD) return;
    try {
      closeSync(this.#fd);
    } catch (closeError) {
      process.stderr.write(`tsgi: ${messageOf(why)}; ${messageOf(closeError)}\n`);
    }
    this.#fd = undefined;
  }

  #rotateIfLarge(fd: number): void {
    this.#writtenBytes = 0;
    if (this.#path === STANDARD_OUTPUT) return;
    if (fstatSync(fd).size < ROTATE_BYTES) return;
    // Without a right to the path the older part cannot be kept; the bound on the disk matters more.
    if (fd !== INHERITED_FD) copyFileSync(this.#path, `${this.#path}.1`);
    ftruncateSync(fd, 0);
  }
}

function openAppend(path: string): number {
  if (path === STANDARD_OUTPUT) return INHERITED_FD;
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    return openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o640);
  } catch (error) {
    // Another user than the emperor's may not enter the folder of the logs.
    if (systemCode(error) === "EACCES") return INHERITED_FD;
    throw error;
  }
}

/** Printable text of at most LINE_MAX characters: control characters become \xNN. */
export function oneLine(text: string): string {
  const cut = text.length > LINE_MAX ? `${text.slice(0, LINE_MAX)}…` : text;
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return /[\u0000-\u0008\u000a-\u001f\u007f]/.test(cut) ? escapeControls(cut) : cut;
}

function escapeControls(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\u0000-\u0008\u000a-\u001f\u007f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
