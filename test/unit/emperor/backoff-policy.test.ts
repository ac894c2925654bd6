import assert from "node:assert/strict";
import test from "node:test";
import { BACKOFF_CAP_MS, decideBackoff } from "../../../src/emperor/backoff-policy.ts";

test("decideBackoff() tries at once after the first death of a vassal that served", () => {
  assert.deepEqual(decideBackoff({ failures: 0, served: true, random: 0.9 }), {
    failures: 1,
    delayMs: 0,
  });
});

test("decideBackoff() waits after the first death of a vassal that never served", () => {
  assert.deepEqual(decideBackoff({ failures: 0, served: false, random: 0.5 }), {
    failures: 1,
    delayMs: 1000,
  });
});

test("decideBackoff() doubles up to the cap and never beyond, however often it fails", () => {
  const delays = [1, 2, 3, 4, 5, 6, 7, 5000].map(
    (failures) => decideBackoff({ failures, served: true, random: 0.5 }).delayMs,
  );
  assert.deepEqual(delays, [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  for (const random of [0, 0.25, 0.999]) {
    assert.ok(decideBackoff({ failures: 40, served: false, random }).delayMs <= BACKOFF_CAP_MS);
  }
});

test("decideBackoff() spreads vassals that died together over half the delay", () => {
  assert.equal(decideBackoff({ failures: 2, served: true, random: 0 }).delayMs, 3000);
  assert.equal(decideBackoff({ failures: 2, served: true, random: 0.9999 }).delayMs, 5000);
});
