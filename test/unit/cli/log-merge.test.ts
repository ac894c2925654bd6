import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeLogs } from "../../../src/cli/log-merge.ts";

const at = (second: number, text: string): string => `2026-11-22T15:00:0${second}.000Z ${text}`;

test("mergeLogs() orders by time and keeps lines without a stamp behind theirs", () => {
  const first = [at(1, "a"), "Traceback", "  line", at(4, "b")];
  const second = [at(2, "c"), at(3, "d")];
  assert.deepEqual(mergeLogs([first, second]), [
    at(1, "a"),
    "Traceback",
    "  line",
    at(2, "c"),
    at(3, "d"),
    at(4, "b"),
  ]);
});
