/** `stats.sock`: connect, one JSON document, end of file. Whoever does not read costs one bounded document. */
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { peerOf } from "../platform/peer.ts";
import { isTrusted } from "./control-access.ts";
import type { OpenSocket } from "./control-socket.ts";
import type { EmperorControl } from "./control.ts";
import { listenAtPath } from "./unix-server.ts";

export interface StatsSocketOptions {
  readonly path: string;
  readonly control: Pick<EmperorControl, "statsDocument" | "mayCommand" | "refresh">;
  readonly emperorUid: number;
}

const MAX_CLIENTS = 64;
const READ_WITHIN_MS = 5000;
/** A flood of readers shares one document: making it for 1,000 vassals takes milliseconds. */
const FRESH_MS = 100;

/** Opens the socket. Throws TsgiError TSGI_LISTEN_FAILED or TSGI_PATH_TOO_LONG. */
export async function openStatsSocket(options: StatsSocketOptions): Promise<OpenSocket> {
  const documents = cachedDocuments(options);
  const clients = new Set<Socket>();
  const server = createServer((socket) => {
    clients.add(socket);
    socket.on("close", () => clients.delete(socket));
    // A client that hangs up early is its own business.
    socket.on("error", () => undefined);
    socket.setTimeout(READ_WITHIN_MS, () => socket.destroy());
    const by = peerOf(socket);
    if (by === undefined) {
      socket.destroy();
      return;
    }
    socket.resume();
    void options.control.refresh().then(() => socket.end(documents(by.uid)));
  });
  server.maxConnections = MAX_CLIENTS;
  await listenAtPath(server, options.path);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of clients) socket.destroy();
      }),
  };
}

/** The document that a uid may read, made at most once in FRESH_MS. */
function cachedDocuments(options: StatsSocketOptions): (uid: number) => string {
  const cache = new Map<number, string>();
  let madeAtMs = Number.NEGATIVE_INFINITY;
  return (uid) => {
    if (performance.now() - madeAtMs > FRESH_MS) {
      cache.clear();
      madeAtMs = performance.now();
    }
    const view = isTrusted({ uid }, options.emperorUid) ? 0 : uid;
    const made = cache.get(view) ?? render(options, view);
    cache.set(view, made);
    return made;
  };
}

function render({ control, emperorUid }: StatsSocketOptions, uid: number): string {
  const document = control.statsDocument();
  if (isTrusted({ uid }, emperorUid)) return `${JSON.stringify(document)}\n`;
  const mine = (entry: unknown): boolean => {
    const name = nameOf(entry);
    return name !== undefined && control.mayCommand(uid, name);
  };
  const view = Object.entries(document).map(([key, value]): [string, unknown] => [
    key,
    Array.isArray(value) ? value.filter(mine) : value,
  ]);
  return `${JSON.stringify(Object.fromEntries(view))}\n`;
}

/** Entries name their vassal by `name`, or by uWSGI's `id`, which is the file. */
function nameOf(entry: unknown): string | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  if ("name" in entry && typeof entry.name === "string") return entry.name;
  if (!("id" in entry) || typeof entry.id !== "string") return undefined;
  return entry.id.replace(/^.*\//, "").replace(/\.(yaml|yml|json|ini)$/, "");
}
