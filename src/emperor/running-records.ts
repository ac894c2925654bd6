/** What a later emperor needs to know about processes of this one: a file for each vassal in the runtime dir. */
import { createHash } from "node:crypto";
import { readdirSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../core/errors.ts";
import { readBounded } from "../platform/files.ts";
import type { StateWriter } from "./state-writer.ts";

const RECORD_VERSION = 1;
const RECORD_MAX_BYTES = 1024 ** 2;

export interface RunningGeneration {
  readonly generation: number;
  readonly pid: number;
  readonly startTime: number;
  readonly serving: boolean;
  readonly configHash: string;
  readonly tokenHash: string;
  readonly scratch: string;
  /** Descriptor numbers inside the vassal process, and the inode of each socket. */
  readonly listeners: readonly {
    readonly fd: number;
    readonly inode: string;
    readonly address: string;
  }[];
}

export interface RunningRecord {
  readonly version: number;
  readonly name: string;
  readonly generations: readonly RunningGeneration[];
}

export class RunningRecords {
  readonly #dir: string;
  readonly #writer: StateWriter;

  constructor(runtimeDir: string, writer: StateWriter) {
    this.#dir = join(runtimeDir, "vassals");
    this.#writer = writer;
  }

  /** No generation left means no file. */
  write(name: string, generations: readonly RunningGeneration[]): void {
    const record: RunningRecord = { version: RECORD_VERSION, name, generations };
    if (generations.length === 0) this.remove(name);
    else this.#writer.replace(join(this.#dir, `${name}.json`), `${JSON.stringify(record)}\n`);
  }

  remove(name: string): void {
    rmSync(join(this.#dir, `${name}.json`), { force: true });
  }

  /** Records of an emperor before this one; garbage is left out and removed. */
  readAll(): readonly RunningRecord[] {
    let names: readonly string[];
    try {
      names = readdirSync(this.#dir).filter((entry) => entry.endsWith(".json"));
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      return [];
    }
    return names.flatMap((entry) => {
      const path = join(this.#dir, entry);
      const file = readBounded(path, { maxBytes: RECORD_MAX_BYTES, noFollow: true });
      const record = file.ok ? parseRecord(file.bytes.toString()) : undefined;
      if (record !== undefined) return [record];
      rmSync(path, { force: true });
      return [];
    });
  }
}

export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** `socket:[12345]` of one of this process's descriptors; "" when there is none. */
export function socketInode(fd: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return "";
  }
}

function parseRecord(text: string): RunningRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    if (!("version" in value) || value.version !== RECORD_VERSION) return undefined;
    if (!("name" in value) || typeof value.name !== "string") return undefined;
    if (!("generations" in value) || !Array.isArray(value.generations)) return undefined;
    const generations = value.generations as readonly RunningGeneration[];
    const isSane = (one: RunningGeneration): boolean =>
      Number.isSafeInteger(one.pid) && one.pid > 1 && Number.isSafeInteger(one.startTime);
    return generations.every(isSane)
      ? { version: RECORD_VERSION, name: value.name, generations }
      : undefined;
  } catch {
    return undefined;
  }
}
