/** Sizes: what is one, what is not, and how they are shown. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatSize, parseSizeBytes } from "../../../src/core/size.ts";

test("parseSizeBytes() reads powers of 1024 in all their spellings", () => {
  const cases: readonly [string, number][] = [
    ["0", 0],
    ["100", 100],
    ["100B", 100],
    ["64K", 65_536],
    ["64k", 65_536],
    ["64KB", 65_536],
    ["64KiB", 65_536],
    ["512M", 512 * 1024 ** 2],
    ["2G", 2 * 1024 ** 3],
    ["1T", 1024 ** 4],
  ];
  for (const [text, expected] of cases) assert.equal(parseSizeBytes(text), expected, text);
});

test("parseSizeBytes() counts bare megabytes where uWSGI does", () => {
  assert.equal(parseSizeBytes("200", "m"), 200 * 1024 ** 2);
  assert.equal(parseSizeBytes("200K", "m"), 200 * 1024);
});

test("parseSizeBytes() refuses what is no size or cannot be counted exactly", () => {
  for (const text of ["", "K", "-1K", "1.5M", "1 K", "1P", "1e3", "0x1K", "NaN", "999999999999T"]) {
    assert.equal(parseSizeBytes(text), undefined, text);
  }
});

test("formatSize() shows at most one decimal", () => {
  assert.equal(formatSize(0), "0");
  assert.equal(formatSize(1023), "1023");
  assert.equal(formatSize(1536), "1.5K");
  assert.equal(formatSize(1024 ** 3), "1G");
});
