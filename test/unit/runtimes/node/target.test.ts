import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { resolveTarget } from "../../../../src/runtimes/node/target.ts";
import { APPS } from "../../../kit/paths.ts";

const RELEASE = join(APPS, "node");

for (const [target, file] of [
  ["fetch.mjs", "fetch.mjs"],
  ["fetch", "fetch.mjs"],
  ["./typed/app", "typed/app.cts"],
  ["package", "package/lib/app.js"],
  [`${RELEASE}/hono.ts`, "hono.ts"],
] as const) {
  test(`resolveTarget() finds ${file} for ${target}`, () => {
    assert.equal(resolveTarget(RELEASE, target), join(RELEASE, file));
  });
}

for (const target of ["../../kit/paths.ts", "/etc/passwd", "..", "missing", "typed"]) {
  test(`resolveTarget() refuses ${target}`, () => {
    assert.throws(() => resolveTarget(RELEASE, target), { name: "StartFailure" });
  });
}
