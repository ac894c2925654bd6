/** "Did you mean". */
import assert from "node:assert/strict";
import { test } from "node:test";
import { INDEX } from "../../../src/config/options/registry.ts";
import { nearest } from "../../../src/config/suggest.ts";

test("nearest() finds the key behind a slip, and nothing behind another word", () => {
  const names = [...INDEX.vassal.spellings.keys()];
  const rows: readonly [string, string | undefined][] = [
    ["worker", "workers"],
    ["wokers", "workers"],
    ["max_requests", "max-requests"],
    ["Deadline", "deadline"],
    ["hte", undefined],
    ["tiemout", undefined],
    ["virtual-env", "virtualenv"],
    ["derictory", "directory"],
    ["a", undefined],
    ["", undefined],
    ["x".repeat(100_000), undefined],
  ];
  for (const [word, expected] of rows)
    assert.equal(nearest(word, names), expected, word.slice(0, 20));
});

test("nearest() counts swapped neighbours as one slip", () => {
  assert.equal(nearest("ab", ["ba"]), undefined);
  assert.equal(nearest("tsgi", ["stgi"]), "stgi");
  assert.equal(nearest("abc", ["abd", "abc"]), "abc");
  assert.equal(nearest("theraeds", ["threads"]), "threads");
});
