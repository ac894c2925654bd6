import assert from "node:assert/strict";
import test from "node:test";
import { parseEnvFile } from "../../../src/launch/env-file.ts";

test("parseEnvFile() reads names, values, quotes, comments and export", () => {
  const text = `\u{feff}# secrets
A=1
 B = two words
export C="x \\"y\\"\\n$HOME"
D='as \\n is $(id)'
E=

F=a=b#c\r
`;
  assert.deepEqual(parseEnvFile(text), {
    ok: true,
    env: { A: "1", B: "two words", C: 'x "y"\n$HOME', D: "as \\n is $(id)", E: "", F: "a=b#c" },
  });
});

test("parseEnvFile() names the line that is wrong", () => {
  assert.deepEqual(parseEnvFile("A=1\nsource other\n"), {
    ok: false,
    line: 2,
    reason: "it is not NAME=value",
  });
  assert.deepEqual(parseEnvFile("1A=1"), { ok: false, line: 1, reason: "it is not NAME=value" });
  assert.deepEqual(parseEnvFile('A="x'), { ok: false, line: 1, reason: "its quote is not closed" });
  assert.deepEqual(parseEnvFile("A=\0"), { ok: false, line: 1, reason: "it has a NUL byte" });
});
