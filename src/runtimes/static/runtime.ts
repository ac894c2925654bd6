/**
 * The `static` container: a directory behind the vassal's front. Documented choices: `/.well-known/` is served, other
 * hidden names are not; a path with dot segments, encoded slashes or control characters is refused rather than tidied
 * up; symlinks work inside the root, and out of it only with `static.follow-symlinks`.
 */
import { resolve } from "node:path";
import { messageOf } from "../../core/errors.ts";
import { StartFailure, type CreateRuntime, type RuntimeHost } from "../runtime.ts";
import { Root } from "./file-door.ts";
import { FileStore } from "./file-store.ts";
import { StaticSite } from "./static-site.ts";

export const createStaticRuntime: CreateRuntime = (host) => {
  let site: StaticSite | undefined;
  return {
    kind: "fronted",
    start() {
      return new Promise((started) => {
        site = openSite(host);
        started();
      });
    },
    handle(exchange) {
      if (site === undefined) exchange.fail(503, "Cannot serve files: the runtime is not started");
      else site.handle(exchange);
    },
    beginDrain: () => undefined,
    stop: () => Promise.resolve(),
    workers: () => [],
    get answered() {
      return site?.answered ?? 0;
    },
  };
};

function openSite(host: RuntimeHost): StaticSite {
  const { app, static: config } = host.spec.config;
  if (app.kind !== "static")
    throw new TypeError(`Cannot serve files: the application is ${app.kind}`);
  const path = resolve(host.spec.release, app.root);
  const root = openRoot(path, config.followSymlinks);
  const store = new FileStore(root, {
    cacheControl: config.cacheControl,
    negotiated: config.precompressed,
    wallMs: Date.now,
  });
  const warn = (line: string): void => host.logLine(0, "tsgi", line);
  return new StaticSite(store, config, warn);
}

function openRoot(path: string, followSymlinks: boolean): Root {
  try {
    return new Root(path, { followSymlinks });
  } catch (error) {
    const fix = "make 'static' name a directory that the vassal's user may read (and mount /proc)";
    throw new StartFailure(`Cannot serve ${JSON.stringify(path)}: ${messageOf(error)}; ${fix}`, {
      cause: error,
    });
  }
}
