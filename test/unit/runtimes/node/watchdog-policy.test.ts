import assert from "node:assert/strict";
import { test } from "node:test";
import { isStuck } from "../../../../src/runtimes/node/watchdog-policy.ts";

const DEADLINE_MS = 1000;

test("isStuck() is false while the event loop gives signs", () => {
  const reading = { beatMs: 9500, oldestDueMs: 5000, currentDueMs: 0 };
  assert.equal(isStuck(reading, DEADLINE_MS, 10_000), false);
});

test("isStuck() is true when the running request is past its deadline and no sign came", () => {
  const reading = { beatMs: 8000, oldestDueMs: 0, currentDueMs: 9000 };
  assert.equal(isStuck(reading, DEADLINE_MS, 9050), false);
  assert.equal(isStuck(reading, DEADLINE_MS, 9101), true);
});

test("isStuck() finds an older request that has yielded", () => {
  const reading = { beatMs: 8000, oldestDueMs: 8500, currentDueMs: 0 };
  assert.equal(isStuck(reading, DEADLINE_MS, 9001), true);
});

test("isStuck() finds a request that it never saw once a whole deadline was silent", () => {
  const reading = { beatMs: 8000, oldestDueMs: 0, currentDueMs: 0 };
  assert.equal(isStuck(reading, DEADLINE_MS, 9050), false);
  assert.equal(isStuck(reading, DEADLINE_MS, 9101), true);
});
