/** Rules about the source as a whole that no linter knows: one door for each package, one version, error sentences. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ERROR_TABLE } from "../../src/core/errors.ts";
import { VERSION } from "../../src/core/version.ts";
import { ROOT } from "../kit/paths.ts";

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

const MANIFEST = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest;

const SOURCES = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
  .map((name) => ({ name, text: readFileSync(join(ROOT, "src", name), "utf8") }));

test("every npm package is imported by exactly one file, its door", () => {
  for (const name of Object.keys(MANIFEST.dependencies)) {
    const imports = new RegExp(`(from|import|import\\(|require\\()\\s*"${name}("|/)`);
    const doors = SOURCES.filter((source) => imports.test(source.text)).map(
      (source) => source.name,
    );
    assert.equal(doors.length, 1, `${name} is imported by ${doors.join(", ") || "nobody"}`);
  }
});

test("every dependency is pinned exactly", () => {
  for (const [name, version] of Object.entries(MANIFEST.dependencies)) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
  }
});

test("VERSION is that of package.json", () => {
  assert.equal(VERSION, MANIFEST.version);
});

test("every source file says its role first", () => {
  const silent = SOURCES.filter(({ text }) => !/^(#!.*\n)?(import [^\n]+\n)*\/\*\*/.test(text));
  assert.deepEqual(
    silent.map((source) => source.name),
    [],
  );
});

test("the help of every error is a sentence without a full stop", () => {
  for (const [code, row] of Object.entries(ERROR_TABLE)) {
    assert.match(row.help, /^[A-Z].*[^.]$/, code);
  }
});

test("no source starts a shell with data in its script", () => {
  const shells = SOURCES.filter(({ text }) => /shell: true|\bexecSync\(|\bexec\(`/.test(text));
  assert.deepEqual(
    shells.map((source) => source.name),
    [],
  );
});
