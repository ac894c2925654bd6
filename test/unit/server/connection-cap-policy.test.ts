import assert from "node:assert/strict";
import { test } from "node:test";
import { connectionCap } from "../../../src/server/connection-cap-policy.ts";

test("connectionCap() is the configured number while descriptors last, and never none", () => {
  for (const [configured, openFiles, cap] of [
    [1000, Number.POSITIVE_INFINITY, 1000],
    [1000, 1_048_576, 1000],
    [10_000, 1024, 896],
    [10_000, 64, 24],
    [10_000, 20, 1],
    [5, 1024, 5],
  ] as const) {
    assert.equal(connectionCap(configured, openFiles), cap);
  }
});
