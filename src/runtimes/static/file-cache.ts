/** Small files in memory, least recently used first out, bounded in bytes and in entries. */
import type { FileState } from "./entity-tag.ts";
import type { Representation } from "./response-policy.ts";

export interface CachedFile {
  readonly state: FileState;
  readonly representation: Representation;
  readonly body: Buffer;
}

/** Files up to this size are kept: larger ones gain nothing over reading them. */
export const CACHED_FILE_BYTES = 65_536;

/** What an entry costs beside its body, about. */
const ENTRY_BYTES = 1024;

export class FileCache {
  readonly #entries = new Map<string, CachedFile>();
  readonly #limitBytes: number;
  #usedBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get(path: string): CachedFile | undefined {
    const entry = this.#entries.get(path);
    if (entry === undefined) return undefined;
    this.#entries.delete(path);
    this.#entries.set(path, entry); // A Map remembers the order of insertion: last is youngest.
    return entry;
  }

  set(path: string, file: CachedFile): void {
    this.delete(path);
    this.#entries.set(path, file);
    this.#usedBytes += costOf(path, file);
    for (const oldest of this.#entries.keys()) {
      if (this.#usedBytes <= this.#limitBytes) break;
      this.delete(oldest);
    }
  }

  delete(path: string): void {
    const entry = this.#entries.get(path);
    if (entry === undefined) return;
    this.#entries.delete(path);
    this.#usedBytes -= costOf(path, entry);
  }
}

function costOf(path: string, file: CachedFile): number {
  return ENTRY_BYTES + 2 * path.length + file.body.length;
}
