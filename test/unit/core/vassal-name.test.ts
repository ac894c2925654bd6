/** Names of vassals: they become parts of paths, log tags and commands. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { vassalNameProblem } from "../../../src/core/vassal-name.ts";

test("vassalNameProblem() accepts letters, digits and . _ @ -", () => {
  for (const name of ["a", "9", "blog", "blog-2", "a.b_c@d-e", "x".repeat(128)]) {
    assert.equal(vassalNameProblem(name), undefined, name);
  }
});

test("vassalNameProblem() refuses what is dangerous in a path or a terminal", () => {
  const bad = [
    "",
    ".",
    "..",
    ".a",
    "-a",
    "@a",
    "_a",
    "a b",
    "a/b",
    "a\nb",
    "a\n",
    "ä",
    "a\0",
    "%n",
  ];
  for (const name of bad) assert.match(String(vassalNameProblem(name)), /starts with/, name);
  assert.match(String(vassalNameProblem("x".repeat(129))), /129 characters/);
});
