import assert from "node:assert/strict";
import test from "node:test";
import { parseFromVassal } from "../../../src/emperor/link-messages.ts";
import { NO_TRAFFIC } from "../../../src/ipc/link.ts";

test("parseFromVassal() takes every message of the protocol", () => {
  const messages = [
    { type: "hello", linkVersion: 1, name: "a", generation: 2, pid: 3, token: "t" },
    { type: "ready" },
    { type: "accepting" },
    { type: "loyal" },
    { type: "failed", reason: "r", lines: ["x"] },
    { type: "released" },
    { type: "drained", counters: { ...NO_TRAFFIC, requestsServed: 5 } },
    { type: "event", event: { kind: "worker-died", message: "m", worker: 1, pid: 2 } },
    {
      type: "heartbeat",
      counters: NO_TRAFFIC,
      healthy: true,
      workers: [
        { id: 1, pid: 2, state: "busy", requests: 3, rssBytes: 4, startedAtMs: 5, respawns: 6 },
      ],
    },
  ];
  for (const message of messages) assert.deepEqual(parseFromVassal(message), message);
});

test("parseFromVassal() ignores what it does not know", () => {
  for (const value of [
    null,
    1,
    "ready",
    [],
    {},
    { type: 1 },
    { type: "serve" },
    { type: "__proto__" },
    { type: "event" },
  ]) {
    assert.equal(parseFromVassal(value), undefined);
  }
});

test("parseFromVassal() bounds and cleans everything a hostile vassal may say", () => {
  const failed = parseFromVassal({
    type: "failed",
    reason: "x".repeat(1e6),
    lines: Array.from({ length: 1e4 }, () => "y".repeat(9999)),
  });
  assert.ok(failed?.type === "failed");
  assert.ok(failed.reason.length <= 2000 && failed.lines.length <= 100);
  assert.ok(failed.lines.every((line) => line.length <= 2000));
  const beat = parseFromVassal({
    type: "heartbeat",
    counters: {
      requestsServed: -1,
      connectionsOpen: Number.NaN,
      requestsFailed: 1e300,
      connectionsReset: "7",
    },
    workers: [{ state: "evil", pid: "1" }, null],
    healthy: "yes",
  });
  assert.ok(beat?.type === "heartbeat");
  assert.deepEqual(beat.counters, { ...NO_TRAFFIC, requestsFailed: Number.MAX_SAFE_INTEGER });
  assert.deepEqual(
    beat.workers.map(({ state, pid }) => [state, pid]),
    [
      ["gone", 0],
      ["gone", 0],
    ],
  );
  assert.equal(beat.healthy, false);
});
