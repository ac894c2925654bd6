import assert from "node:assert/strict";
import { test } from "node:test";
import {
  jitterLimits,
  recycleReason,
  respawnDelayMs,
} from "../../../../src/runtimes/pool/recycle-policy.ts";
import { privateBytes } from "../../../../src/runtimes/pool/worker-memory.ts";

test("jitterLimits: stays within 10 % and leaves 'never' alone", () => {
  const limits = { maxRequests: 1000, maxLifetimeMs: 0, maxRssBytes: 10 };
  assert.equal(jitterLimits(limits, () => 0).maxRequests, 900);
  assert.equal(jitterLimits(limits, () => 0.999_999).maxRequests, 1100);
  assert.equal(jitterLimits(limits, () => 0).maxLifetimeMs, 0);
  assert.ok(jitterLimits({ ...limits, maxRequests: 1 }, () => 0).maxRequests >= 1);
});

test("recycleReason: names the limit that was reached, and nothing below it", () => {
  const limits = { maxRequests: 5, maxLifetimeMs: 1000, maxRssBytes: 100 };
  const facts = { requests: 4, ageMs: 999, rssBytes: 99 };
  assert.equal(recycleReason(limits, facts), undefined);
  assert.match(recycleReason(limits, { ...facts, requests: 5 }) ?? "", /max-requests/);
  assert.match(recycleReason(limits, { ...facts, ageMs: 1000 }) ?? "", /max-lifetime/);
  assert.match(recycleReason(limits, { ...facts, rssBytes: 100 }) ?? "", /max-rss/);
  const never = { maxRequests: 0, maxLifetimeMs: 0, maxRssBytes: 0 };
  assert.equal(recycleReason(never, { requests: 9e9, ageMs: 9e9, rssBytes: 9e9 }), undefined);
});

test("respawnDelayMs: grows from none to a cap", () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 50].map((deaths) => respawnDelayMs(deaths)),
    [0, 0, 100, 200, 400, 5000],
  );
});

test("privateBytes: resident pages without shared ones", () => {
  assert.equal(privateBytes("1000 300 100 1 0 200 0\n"), 200 * 4096);
  assert.equal(privateBytes(""), 0);
});
