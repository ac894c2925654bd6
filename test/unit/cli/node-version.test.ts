import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { isOlder, MINIMUM_NODE } from "../../../src/cli/node-version.ts";

test("isOlder() compares numbers, not text", () => {
  assert.equal(isOlder("24.9.0", "24.14.1"), true);
  assert.equal(isOlder("24.14.0", "24.14.1"), true);
  assert.equal(isOlder("24.14.1", "24.14.1"), false);
  assert.equal(isOlder("26.0.0", "24.14.1"), false);
  assert.equal(isOlder("8.17.0", "24.14.1"), true);
});

test("MINIMUM_NODE is the engines field of package.json", () => {
  const manifest = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  const { engines } = JSON.parse(manifest) as { engines: { node: string } };
  assert.equal(engines.node, `>=${MINIMUM_NODE}`);
});
