/** How often a static site looks at the file system. */
import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { test } from "node:test";
import type { FileStore } from "../../../../src/runtimes/static/file-store.ts";
import { StaticSite } from "../../../../src/runtimes/static/static-site.ts";
import type { Exchange } from "../../../../src/server/exchange.ts";

const CONFIG = { index: ["index.html"], followSymlinks: false, precompressed: false };

function request(target: string): Exchange {
  const head = { method: "GET", target, minor: 1, headers: [], body: { kind: "none" } };
  const nothing = (): void => undefined;
  return {
    head,
    start: nothing,
    startRaw: nothing,
    write: () => true,
    end: nothing,
    fail: nothing,
  } as unknown as Exchange;
}

test("StaticSite looks once for requests of one turn of the event loop, and again in the next", async () => {
  const looks: string[] = [];
  const load = (path: string): unknown => {
    looks.push(path);
    return { kind: "missing" };
  };
  const site = new StaticSite(
    { load, modifiedMs: () => undefined } as unknown as FileStore,
    CONFIG,
    () => undefined,
  );
  for (const target of ["/a", "/a", "/b", "/a"]) site.handle(request(target));
  assert.deepEqual(looks, ["a", "b"]);
  await nextTurn();
  site.handle(request("/a"));
  assert.deepEqual(looks, ["a", "b", "a"]);
});
