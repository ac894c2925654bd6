import assert from "node:assert/strict";
import { test } from "node:test";
import {
  isBetterPlace,
  isStalled,
  joinMs,
  smoothService,
  workerCapacity,
} from "../../../../src/runtimes/python/dispatch-policy.ts";

const IDLE = { threads: 1, outstanding: 0, serviceMs: 0.01, progressAtMs: 0 };

test("workerCapacity: a slow worker holds what its threads can run, a fast one a few milliseconds of work", () => {
  assert.equal(workerCapacity({ ...IDLE, serviceMs: 2 }, 0), 1);
  assert.equal(workerCapacity({ ...IDLE, serviceMs: 50, threads: 4 }, 0), 4);
  assert.equal(workerCapacity({ ...IDLE, serviceMs: 1 }, 0), 4);
  assert.equal(workerCapacity(IDLE, 0), 257);
  assert.equal(workerCapacity({ ...IDLE, serviceMs: 0 }, 0), 257);
});

test("workerCapacity: a worker without an answer for a while is not trusted with more", () => {
  assert.ok(workerCapacity({ ...IDLE, outstanding: 1 }, 2) > 1);
  assert.equal(workerCapacity({ ...IDLE, outstanding: 1 }, 3), 1);
  assert.ok(workerCapacity(IDLE, 1e9) > 1, "idleness is no stall");
});

test("isStalled: only when something may wait behind something else", () => {
  assert.equal(isStalled({ ...IDLE, outstanding: 1 }, 100), false);
  assert.equal(isStalled({ ...IDLE, outstanding: 2 }, 2), false);
  assert.equal(isStalled({ ...IDLE, outstanding: 2 }, 3), true);
});

test("smoothService: follows the time of one request, and one slow request does not last", () => {
  let serviceMs = 2;
  for (let turn = 0; turn < 30; turn += 1) serviceMs = smoothService(serviceMs, 1, 100, 1);
  assert.ok(serviceMs < 0.02, `${serviceMs}`);
  const shocked = smoothService(serviceMs, 1000, 1, 1);
  assert.ok(shocked < 2, `${shocked}`);
  assert.ok(smoothService(1, 10, 10, 4) > smoothService(1, 10, 10, 1), "threads work in parallel");
});

test("isBetterPlace: on one core a short batch is filled before another worker is woken", () => {
  const busy = { ...IDLE, serviceMs: 0.02, outstanding: 60 };
  assert.equal(isBetterPlace(busy, IDLE, joinMs(1)), true);
  assert.equal(isBetterPlace(IDLE, busy, joinMs(1)), false);
  const full = { ...busy, outstanding: 101 };
  assert.equal(isBetterPlace(full, IDLE, joinMs(1)), false);
  assert.equal(isBetterPlace(IDLE, full, joinMs(1)), true);
});

test("isBetterPlace: with several cores an idle worker gets what would wait noticeably in a busy one", () => {
  const busy = { ...IDLE, serviceMs: 0.2, outstanding: 1 };
  assert.equal(isBetterPlace(busy, IDLE, joinMs(2)), false);
  assert.equal(isBetterPlace(IDLE, busy, joinMs(2)), true);
});

test("isBetterPlace: when work waits everywhere, the one with the least of it", () => {
  const some = { ...IDLE, serviceMs: 0.5, outstanding: 10 };
  const less = { ...some, outstanding: 9 };
  assert.equal(isBetterPlace(less, some, joinMs(1)), true);
  assert.equal(isBetterPlace(some, less, joinMs(1)), false);
});
