import assert from "node:assert/strict";
import { test } from "node:test";
import { coalesced } from "../../../src/cli/coalesced.ts";

test("coalesced() turns a storm into one run at once and one after the gap", async () => {
  const due: (() => void)[] = [];
  const timers = {
    after: (_delayMs: number, callback: () => void) => {
      due.push(callback);
      return () => undefined;
    },
  };
  let runs = 0;
  const trigger = coalesced(2000, timers, () => {
    runs += 1;
    return Promise.resolve();
  });
  for (let index = 0; index < 500; index += 1) trigger();
  await Promise.resolve();
  for (let index = 0; index < 500; index += 1) trigger();
  assert.equal(runs, 1);
  due.shift()?.();
  await Promise.resolve();
  assert.equal(runs, 2);
  due.shift()?.();
  assert.equal(runs, 2);
  trigger();
  assert.equal(runs, 3);
});
