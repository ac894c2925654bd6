/** Durations: what is one, what is not, and the way back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDuration, parseDurationMs } from "../../../src/core/duration.ts";

test("parseDurationMs() reads every unit and fractions", () => {
  const cases: readonly [string, number][] = [
    ["500ms", 500],
    ["30s", 30_000],
    ["1.5s", 1500],
    ["10m", 600_000],
    ["1h", 3_600_000],
    ["2d", 172_800_000],
    [" 1s ", 1000],
    ["0s", 0],
  ];
  for (const [text, expected] of cases) assert.equal(parseDurationMs(text), expected, text);
});

test("parseDurationMs() takes a bare number only with a unit for it", () => {
  assert.equal(parseDurationMs("30"), undefined);
  assert.equal(parseDurationMs("30", "s"), 30_000);
  assert.equal(parseDurationMs("30", "ms"), 30);
  assert.equal(parseDurationMs("30m", "s"), 1_800_000);
});

test("parseDurationMs() refuses what is no duration", () => {
  for (const text of ["", "s", "-1s", "1 s", "1S", "1e3s", "0x10s", "1w", "1s2", "true", "NaN"]) {
    assert.equal(parseDurationMs(text, "s"), undefined, text);
  }
});

test("formatDuration() writes the shortest exact text, which parses back", () => {
  const cases: readonly [number, string][] = [
    [0, "0ms"],
    [1, "1ms"],
    [1500, "1500ms"],
    [90_000, "90s"],
    [120_000, "2m"],
    [86_400_000, "1d"],
  ];
  for (const [durationMs, text] of cases) {
    assert.equal(formatDuration(durationMs), text);
    assert.equal(parseDurationMs(text), durationMs);
  }
});
