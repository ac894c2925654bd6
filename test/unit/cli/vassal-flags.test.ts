import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFlags } from "../../../src/cli/vassal-flags.ts";

const KNOWN = [
  { name: "preload", bare: true },
  { name: "listen", bare: false },
];

test("parseFlags() reads values, =values, repeated and bare flags", () => {
  const found = parseFlags(
    ["--listen", ":1", "--listen=:2", "--preload", "--workers=4", "--preload=false"],
    KNOWN,
  );
  assert.deepEqual(
    [...found],
    [
      ["listen", [":1", ":2"]],
      ["preload", ["", "false"]],
      ["workers", ["4"]],
    ],
  );
});

test("parseFlags() does not take the next flag for a value, nor a stray word for a switch's", () => {
  const found = parseFlags(["--listen", "--preload"], KNOWN);
  assert.deepEqual([...found.keys()], ["listen", "preload"]);
  assert.throws(() => parseFlags(["--preload", "word"], KNOWN), /a flag begins with --/);
});
