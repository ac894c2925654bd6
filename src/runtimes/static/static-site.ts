/** Answers requests for files: maps the target, looks for the file or what stands in for it, sends the response. */
import type { StaticConfig } from "../../config/vassal-config.ts";
import { headerValue } from "../../protocol/request.ts";
import { errorPage } from "../../server/error-page.ts";
import type { Exchange } from "../../server/exchange.ts";
import { sendParts } from "./body-sender.ts";
import { acceptedNeighbours } from "./encoding-policy.ts";
import type { FileStore, Loaded } from "./file-store.ts";
import { contentTypeOf } from "./mime-types.ts";
import { isHidden, mapTarget, slashLocation, type MappedPath } from "./path-policy.ts";
import { planResponse } from "./response-policy.ts";

const ALLOW = ["Allow", "GET, HEAD, OPTIONS"];

/**
 * A neighbour that is older than its file by more than this was made from an earlier version. (Copying a tree writes
 * files in any order, within a moment.)
 */
const NEIGHBOUR_LAG_MS = 60_000;

type Target = Extract<MappedPath, { kind: "path" }>;
type Absent = Exclude<ReturnType<FileStore["load"]>, Loaded>;
type Outcome =
  | Loaded
  | { readonly kind: "redirect"; readonly location: string }
  | { readonly kind: "missing" }
  | { readonly kind: "forbidden" }
  | { readonly kind: "refused"; readonly status: number };

export class StaticSite {
  answered = 0;
  readonly #store: FileStore;
  readonly #config: StaticConfig;
  readonly #warn: (line: string) => void;
  /**
   * What requests of this turn of the event loop found, by target and accepted encodings. The kernel had reported all of
   * them before the first was looked at, so none was sent after an edit that another one did not see; and looking is most
   * of the cost under load.
   */
  readonly #seen = new Map<string, Outcome>();

  constructor(store: FileStore, config: StaticConfig, warn: (line: string) => void) {
    this.#store = store;
    this.#config = config;
    this.#warn = warn;
  }

  handle(exchange: Exchange): void {
    this.answered += 1;
    const { method, target } = exchange.head;
    if (method === "OPTIONS") return sendPage(exchange, 204, ALLOW);
    if (method !== "GET" && method !== "HEAD") return sendPage(exchange, 405, ALLOW);
    const outcome = this.#look(target, headerValue(exchange.head.headers, "accept-encoding"));
    switch (outcome.kind) {
      case "memory":
      case "open":
        return sendFile(exchange, outcome);
      case "redirect":
        return sendPage(exchange, 301, ["Location", outcome.location]);
      case "missing":
        return sendPage(exchange, 404, []);
      case "forbidden":
        return sendPage(exchange, 403, []);
      case "refused":
        return sendPage(exchange, outcome.status, []);
    }
  }

  #look(target: string, acceptEncoding: string | undefined): Outcome {
    // A target has no spaces.
    const key = acceptEncoding === undefined ? target : `${target} ${acceptEncoding}`;
    const seen = this.#seen.get(key);
    if (seen !== undefined) return seen;
    const outcome = this.#outcome(target, acceptEncoding);
    // An open file belongs to the one who sends it.
    if (outcome.kind === "open") return outcome;
    if (this.#seen.size === 0) setImmediate(() => this.#seen.clear());
    this.#seen.set(key, outcome);
    return outcome;
  }

  #outcome(target: string, acceptEncoding: string | undefined): Outcome {
    const mapped = mapTarget(target);
    if (mapped.kind === "refused") return mapped;
    if (isHidden(mapped.segments)) return { kind: "missing" };
    return this.#find(mapped, acceptEncoding);
  }

  #find(target: Target, acceptEncoding: string | undefined): Outcome {
    const relative = target.segments.join("/");
    const found = this.#load(relative, acceptEncoding);
    if (found.kind === "memory" || found.kind === "open") {
      if (!target.directory) return found;
      if (found.kind === "open") found.file.close();
      return this.#fallback(acceptEncoding) ?? { kind: "missing" };
    }
    if (found.kind === "directory") {
      if (!target.directory) {
        return { kind: "redirect", location: slashLocation(target.segments, target.query) };
      }
      const index = this.#index(relative, acceptEncoding);
      return index ?? this.#fallback(acceptEncoding) ?? { kind: "forbidden" };
    }
    if (found.kind === "forbidden") return found;
    return this.#fallback(acceptEncoding) ?? found;
  }

  #index(directory: string, acceptEncoding: string | undefined): Loaded | undefined {
    for (const name of this.#config.index) {
      const found = this.#load(directory === "" ? name : `${directory}/${name}`, acceptEncoding);
      if (found.kind === "memory" || found.kind === "open") return found;
    }
    return undefined;
  }

  /** The page of a single-page application, for every path that names no file. */
  #fallback(acceptEncoding: string | undefined): Loaded | undefined {
    if (this.#config.fallback === undefined) return undefined;
    const found = this.#load(this.#config.fallback.replace(/^\/+/, ""), acceptEncoding);
    return found.kind === "memory" || found.kind === "open" ? found : undefined;
  }

  /** The file itself, or the precompressed neighbour that the client likes best. */
  #load(relative: string, acceptEncoding: string | undefined): Loaded | Absent {
    const plain = this.#store.load(relative);
    if (plain.kind === "forbidden")
      this.#warn(`Cannot serve ${JSON.stringify(relative)}: ${plain.reason}`);
    if (plain.kind !== "memory" && plain.kind !== "open") return plain;
    if (!this.#config.precompressed) return plain;
    for (const { coding, extension } of acceptedNeighbours(acceptEncoding)) {
      const modifiedMs = this.#store.modifiedMs(relative + extension);
      if (modifiedMs === undefined) continue;
      if (modifiedMs + NEIGHBOUR_LAG_MS < plain.representation.lastModifiedMs) continue;
      const contentType = contentTypeOf(relative);
      const packed = this.#store.load(relative + extension, { coding, contentType });
      if (packed.kind !== "memory" && packed.kind !== "open") continue;
      if (plain.kind === "open") plain.file.close();
      return packed;
    }
    return plain;
  }
}

function sendFile(exchange: Exchange, loaded: Loaded): void {
  const plan = planResponse(exchange.head, loaded.representation);
  const { status, reason, lines, contentLength, parts } = plan;
  exchange.startRaw(status, reason, lines, contentLength);
  if (loaded.kind === "open") return sendParts(exchange, loaded.file, parts);
  const { body } = loaded;
  const [only] = parts;
  if (only?.kind === "bytes" && only.first === 0 && only.last === body.length - 1) {
    return exchange.end(body);
  }
  for (const part of parts) {
    exchange.write(part.kind === "text" ? part.text : body.subarray(part.first, part.last + 1));
  }
  return exchange.end();
}

/** A page of the front's own: it repeats nothing of what was asked. */
function sendPage(exchange: Exchange, status: number, headers: readonly string[]): void {
  if (status === 204) {
    exchange.start({ status, headers });
    return exchange.end();
  }
  const page = errorPage(status, headerValue(exchange.head.headers, "accept"));
  let lines = page.lines;
  for (let index = 0; index < headers.length; index += 2) {
    lines += `${headers[index]}: ${headers[index + 1]}\r\n`;
  }
  exchange.startRaw(status, "", lines, page.body.length);
  return exchange.end(page.body);
}
