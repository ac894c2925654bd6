import assert from "node:assert/strict";
import { test } from "node:test";
import { watchdogIntervalMs } from "../../../src/platform/systemd.ts";

test("watchdogIntervalMs() is half of WATCHDOG_USEC", () => {
  assert.equal(watchdogIntervalMs({ WATCHDOG_USEC: "30000000" }, 1), 15_000);
  assert.equal(watchdogIntervalMs({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "1" }, 1), 15_000);
});

test("watchdogIntervalMs() is undefined when the watchdog is off, meant for another process, or nonsense", () => {
  assert.equal(watchdogIntervalMs({}, 1), undefined);
  assert.equal(watchdogIntervalMs({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "2" }, 1), undefined);
  for (const WATCHDOG_USEC of ["", "0", "-5", "1e9", "0x10", "9".repeat(40)]) {
    assert.equal(watchdogIntervalMs({ WATCHDOG_USEC }, 1), undefined, WATCHDOG_USEC);
  }
});
