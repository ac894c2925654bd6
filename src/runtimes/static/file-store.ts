/** From a path below the root to something that can be sent: the memory of small files before the file system. */
import { contentTypeOf } from "./mime-types.ts";
import { entityTag, isSameState, isYoung } from "./entity-tag.ts";
import { CACHED_FILE_BYTES, FileCache, type CachedFile } from "./file-cache.ts";
import type { Found, OpenFile, Root } from "./file-door.ts";
import { describeFile, type Representation } from "./response-policy.ts";

const CACHE_BYTES = 8 * 1024 * 1024;

/** A file to send: in memory, or open (the taker closes it). */
export type Loaded =
  | { readonly kind: "memory"; readonly representation: Representation; readonly body: Buffer }
  | { readonly kind: "open"; readonly representation: Representation; readonly file: OpenFile };

/** What a file is served as, when its own name does not say it. */
export interface ServedAs {
  readonly coding?: string;
  readonly contentType?: string;
}

export interface StoreOptions {
  readonly cacheControl: string | undefined;
  readonly negotiated: boolean;
  readonly wallMs: () => number;
}

export class FileStore {
  readonly #root: Root;
  readonly #options: StoreOptions;
  readonly #cache = new FileCache(CACHE_BYTES);

  constructor(root: Root, options: StoreOptions) {
    this.#root = root;
    this.#options = options;
  }

  /**
   * The file at `relative`, or why there is none. What is in memory is compared with the file's state at every request
   * (one stat, 2 µs), so an edit is seen at once.
   */
  load(relative: string, as: ServedAs = {}): Loaded | Exclude<Found, { kind: "file" }> {
    // "app.js.br" asked for by that name is another representation than "app.js" in Brotli.
    const key = `${as.coding ?? ""}/${relative}`;
    const kept = this.#cache.get(key);
    if (kept !== undefined) {
      const state = this.#root.stateOf(relative);
      if (state !== undefined && isSameState(state, kept.state)) return { kind: "memory", ...kept };
      this.#cache.delete(key);
    }
    const found = this.#root.open(relative);
    return found.kind === "file"
      ? this.#admit(key, found.file, this.#describe(relative, found.file, as))
      : found;
  }

  /** When the file at `relative` was changed, in milliseconds; undefined when there is none. */
  modifiedMs(relative: string): number | undefined {
    const state = this.#root.stateOf(relative);
    return state === undefined ? undefined : Number(state.mtimeNs / 1_000_000n);
  }

  #admit(key: string, file: OpenFile, representation: Representation): Loaded {
    if (file.sizeBytes > CACHED_FILE_BYTES) return { kind: "open", representation, file };
    try {
      const body = file.readAll();
      // A file that shrank under the read is sent as an open one: its end comes too early and cuts the response.
      if (body === undefined) return { kind: "open", representation, file };
      const cached: CachedFile = { state: file.state, representation, body };
      if (!isYoung(file.state, this.#options.wallMs())) this.#cache.set(key, cached);
      file.close();
      return { kind: "memory", representation, body };
    } catch (error) {
      file.close();
      throw error;
    }
  }

  #describe(relative: string, file: OpenFile, as: ServedAs): Representation {
    const { cacheControl, negotiated, wallMs } = this.#options;
    return describeFile({
      sizeBytes: file.sizeBytes,
      contentType: as.contentType ?? contentTypeOf(relative),
      coding: as.coding,
      etag: entityTag(file.state, wallMs()),
      lastModifiedMs: Number(file.state.mtimeNs / 1_000_000_000n) * 1000,
      cacheControl,
      negotiated,
    });
  }
}
