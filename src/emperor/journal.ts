/** The event journal: newest events in memory, all of them as JSON lines in the state dir, capped by size. */
import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { systemCode } from "../core/errors.ts";
import type { JournalEvent } from "../stats/emperor-snapshot.ts";
import { StateWriter } from "./state-writer.ts";

/** Beyond it the file becomes events.jsonl.1 and a new one begins. */
const FILE_MAX_BYTES = 8 * 1024 ** 2;
const KEPT = 2000;
const TAIL_BYTES = 262_144;
const MESSAGE_MAX = 4000;

export type NewEvent = Omit<JournalEvent, "seq" | "atMs">;

/** Kinds that an operator should look at. */
const WARNINGS = new Set([
  "died",
  "failed",
  "invalid",
  "backoff",
  "refused",
  "trouble",
  "escalated",
  "leftover",
  "config-warning",
  "not-released",
]);

export class Journal {
  readonly writer: StateWriter;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #listeners = new Set<(event: JournalEvent) => void>();
  #events: JournalEvent[] = [];
  #unwritten: string[] = [];
  #sizeBytes = 0;
  #seq = 0;

  constructor(stateDir: string, doors: { readonly clock: Clock; readonly log: Log }) {
    this.#path = join(stateDir, "events.jsonl");
    this.#clock = doors.clock;
    this.#log = doors.log;
    this.writer = new StateWriter((message) => this.add({ kind: "trouble", message }));
    this.#recall();
  }

  add(entry: NewEvent): JournalEvent {
    this.#seq += 1;
    const event: JournalEvent = {
      ...entry,
      seq: this.#seq,
      atMs: this.#clock.wallMs(),
      message: entry.message.slice(0, MESSAGE_MAX),
    };
    this.#events.push(event);
    if (this.#events.length > 2 * KEPT) this.#events = this.#events.slice(-KEPT);
    if (this.#unwritten.length === 0) setImmediate(() => this.flush());
    if (this.#unwritten.length < KEPT) this.#unwritten.push(`${JSON.stringify(event)}\n`);
    const { message, ...fields } = event;
    this.#log[WARNINGS.has(event.kind) ? "warn" : "info"](fields, message);
    for (const listener of this.#listeners) listener(event);
    return event;
  }

  recent(count: number): readonly JournalEvent[] {
    return count <= 0 ? [] : this.#events.slice(-Math.min(count, KEPT));
  }

  onEvent(listener: (event: JournalEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** One write for everything of this turn of the loop. */
  flush(): void {
    if (this.#unwritten.length === 0) return;
    const text = this.#unwritten.join("");
    this.#unwritten = [];
    if (this.#sizeBytes > FILE_MAX_BYTES) this.#rotate();
    if (this.writer.append(this.#path, text)) this.#sizeBytes += Buffer.byteLength(text);
  }

  #rotate(): void {
    try {
      renameSync(this.#path, `${this.#path}.1`);
      this.#sizeBytes = 0;
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      // Tried again at the next write.
    }
  }

  /** Events of the emperor before this one: numbers go on, and `events` can show them. */
  #recall(): void {
    const tail = readTail(this.#path, TAIL_BYTES);
    this.#sizeBytes = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    this.#events = tail.split("\n").flatMap(parseEvent);
    this.#seq = this.#events.reduce((max, event) => Math.max(max, event.seq), 0);
  }
}

/** The last `bytes` of a file as text; "" when it cannot be read. */
export function readTail(path: string, bytes: number, from = 0): string {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    const stat = fstatSync(fd);
    if (!stat.isFile()) return "";
    const start = Math.max(from, stat.size - bytes);
    const buffer = Buffer.alloc(Math.max(0, Math.min(bytes, stat.size - start)));
    const count = readSync(fd, buffer, 0, buffer.length, start);
    return buffer.toString("utf8", 0, count);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return "";
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Garbage in the file (a torn line after a power cut) is skipped. */
function parseEvent(line: string): readonly JournalEvent[] {
  try {
    const value: unknown = JSON.parse(line);
    const isEvent =
      typeof value === "object" &&
      value !== null &&
      "seq" in value &&
      Number.isSafeInteger(value.seq) &&
      "atMs" in value &&
      "kind" in value &&
      "message" in value;
    return isEvent ? [value as JournalEvent] : [];
  } catch {
    return [];
  }
}
