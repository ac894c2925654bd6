/** Commands: white space and quotes, and nothing of a shell. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { splitCommand } from "../../../../src/config/types/command.ts";

test("splitCommand() splits at white space, keeps quotes together, expands nothing", () => {
  const rows: readonly [string, readonly string[] | undefined][] = [
    ["./app", ["./app"]],
    ["  ./app \t -v\n", ["./app", "-v"]],
    [`./app "two words" 'and more'`, ["./app", "two words", "and more"]],
    [`./app --x="a b"c`, ["./app", "--x=a bc"]],
    [`./app "" ''`, ["./app", "", ""]],
    [String.raw`./app a\ b \" "\"" '\'`, ["./app", "a b", '"', '"', "\\"]],
    [
      "./app $HOME `id` $(id) * ; rm > x | y && z",
      "./app $HOME `id` $(id) * ; rm > x | y && z".split(" "),
    ],
    ["", []],
    ["./app 'open", undefined],
    ["./app \\", undefined],
  ];
  for (const [text, expected] of rows) assert.deepEqual(splitCommand(text), expected, text);
});
