import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { shapeOf } from "../../../../src/runtimes/node/app-shape.ts";

const noop = (): undefined => undefined;

for (const [what, exported, kind] of [
  ["a function of one parameter", (_request: unknown) => noop(), "fetch"],
  ["a function without parameters", noop, "fetch"],
  ["a function of two parameters", (_a: unknown, _b: unknown) => noop(), "listener"],
  ["an object with fetch", { fetch: noop }, "fetch"],
  ["an http.Server", createServer(), "server"],
  ["Fastify's shape", { ready: noop, routing: noop, server: createServer() }, "server"],
  ["Koa's shape", { middleware: [], callback: () => noop }, "listener"],
  ["Express's shape", Object.assign((..._all: unknown[]) => noop(), { handle: noop }), "listener"],
  ["compiled ESM", { __esModule: true, default: { fetch: noop } }, "fetch"],
  ["a number", 42, undefined],
  ["nothing", undefined, undefined],
  ["an object of other things", { a: 1 }, undefined],
] as const) {
  test(`shapeOf() sees ${what} as ${String(kind)}`, () => {
    assert.equal(shapeOf(exported)?.kind, kind);
  });
}

test("shapeOf() keeps the object that fetch belongs to", () => {
  const app = {
    name: "me",
    fetch(): string {
      return this.name;
    },
  };
  const shape = shapeOf(app);
  assert.ok(shape?.kind === "fetch");
  assert.equal((shape.handler as () => unknown)(), "me");
});
