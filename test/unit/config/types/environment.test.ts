/** Environment variables: all ways to write them, and their bounds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadVassalConfig } from "../../../../src/config/load.ts";

function env(value: unknown): Readonly<Record<string, string>> | string {
  const text = JSON.stringify({ listen: "http://:80", node: "a.js", env: value });
  const result = loadVassalConfig({ file: "/srv/a.json", bytes: Buffer.from(text) });
  return result.ok
    ? { ...result.config.env }
    : result.problems.map(({ message }) => message).join();
}

test("env takes a mapping, a list and one text, with numbers and booleans as written", () => {
  assert.deepEqual(env({ A: "b", N: 1.5, T: true, E: "" }), { A: "b", N: "1.5", T: "true", E: "" });
  assert.deepEqual(env(["A=b", "C=d=e", "E="]), { A: "b", C: "d=e", E: "" });
  assert.deepEqual(env("A= b "), { A: " b " });
});

test("env refuses what is no name, no value or no pair", () => {
  assert.match(JSON.stringify(env({ "A B": "x" })), /cannot name a variable/);
  assert.match(JSON.stringify(env({ "": "x" })), /cannot name a variable/);
  assert.match(JSON.stringify(env({ A: null })), /no value/);
  assert.match(JSON.stringify(env({ A: { B: "c" } })), /expected a value for A/);
  assert.match(JSON.stringify(env(["=x"])), /not NAME=value/);
  assert.match(JSON.stringify(env(5)), /not NAME=value/);
});

test("env keeps to the kernel's bounds", () => {
  const longest = "x".repeat(128 * 1024 - 1);
  assert.deepEqual(env({ A: longest }), { A: longest });
  assert.match(JSON.stringify(env({ A: `${longest}x` })), /131072 characters, at most 131071/);
  const many = (count: number) => Array.from({ length: count }, (_, index) => `V${index}=1`);
  assert.equal(Object.keys(env(many(1000))).length, 1000);
  assert.match(JSON.stringify(env(many(1001))), /1001 variables/);
});
