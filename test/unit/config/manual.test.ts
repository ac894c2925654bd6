/** Texts made from the option table: explain, the reference page, flags, the JSON Schema. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { explain } from "../../../src/cli/commands/explain.ts";
import { schema } from "../../../src/cli/commands/schema.ts";
import { listFlags } from "../../../src/config/flags.ts";
import { loadFlags } from "../../../src/config/load.ts";
import { referencePage } from "../../../src/config/manual.ts";
import { INDEX, usableOptions } from "../../../src/config/options/registry.ts";

const OPTIONS = [...usableOptions("vassal"), ...usableOptions("emperor")];

test("explain() lists every key within 100 columns", () => {
  const { text, exitCode } = explain();
  assert.equal(exitCode, 0);
  for (const { name } of OPTIONS) assert.match(text, new RegExp(`^  ${name} `, "m"), name);
  for (const line of text.split("\n")) assert.ok(line.length <= 100, line);
});

test("explain(key) says type, default, example and uWSGI's names, under each of them", () => {
  for (const spec of OPTIONS) {
    const { text, exitCode } = explain(spec.name);
    assert.equal(exitCode, 0);
    const flat = text.replaceAll(/\s+/g, " ");
    assert.ok(flat.includes(spec.doc), spec.name);
    assert.ok(flat.includes(spec.type.label), spec.name);
    assert.ok(flat.includes(spec.example), spec.name);
    for (const { name } of spec.aliases) {
      assert.ok(flat.includes(name), name);
      // Names such as "workers.min" of both scopes aside, an alias leads to its option.
      if (INDEX.vassal.spellings.get(name)?.spec === spec) {
        assert.ok(explain(name).text.startsWith(spec.name), name);
      }
    }
  }
  assert.match(explain("harakiri").text, /a bare number counts seconds/);
  assert.match(explain("--max-rss").text, /^max-rss/);
  assert.match(explain("limits").text, /limits is a mapping[^]*limits\.tasks/);
  assert.match(explain("master").text, /ignores: a vassal always has a master/);
  assert.match(explain("ruby").text, /not available/);
});

test("explain(key) of an unknown key exits 2 with a suggestion", () => {
  assert.deepEqual(explain("workrs"), {
    text: `Cannot explain "workrs": unknown key; did you mean 'workers'?\n`,
    exitCode: 2,
  });
  assert.equal(explain("\x1b[2J").text.includes("\x1b"), false);
});

test("referencePage() has a section for every key", () => {
  const page = referencePage();
  for (const { name } of OPTIONS) assert.ok(page.includes(`### \`${name}\``), name);
});

test("vassals.example/KEYS.md is the reference page of the present table", () => {
  const file = new URL("../../../vassals.example/KEYS.md", import.meta.url);
  const again =
    "node -e \"import('./src/config/manual.ts').then(m => process.stdout.write(m.referencePage()))\" > vassals.example/KEYS.md";
  assert.equal(readFileSync(file, "utf8"), referencePage(), `make it again with: ${again}`);
});

test("listFlags() has one flag for each option, and loadFlags() takes it", () => {
  const flags = listFlags();
  assert.equal(flags.length, usableOptions("vassal").length);
  for (const { name, summary } of flags) {
    assert.match(name, /^[a-z-]+$/);
    assert.ok(summary.length > 5 && !summary.endsWith("."), summary);
    const result = loadFlags(new Map([[name, ["\0"]]]), "/");
    assert.ok(!result.ok);
    assert.ok(!result.problems.some(({ message }) => message.startsWith("unknown key")), name);
  }
});

test("loadFlags() reads the keys of a vassal file, repeated and bare ones too", () => {
  const result = loadFlags(
    new Map([
      ["listen", ["http://127.0.0.1:1", "http://127.0.0.1:2"]],
      ["--python", ["app:application"]],
      ["http-max-head", ["64K"]],
      ["env", ["A=1", "B=2"]],
      ["lazy-apps", [""]],
      ["harakiri", ["5"]],
    ]),
    "/srv/blog",
  );
  assert.ok(result.ok);
  assert.deepEqual(result.config.app, { kind: "python", target: "app", callable: "application" });
  assert.equal(result.config.directory, "/srv/blog");
  assert.equal(result.config.listen.length, 2);
  assert.equal(result.config.http.maxHeadBytes, 65_536);
  assert.deepEqual({ ...result.config.env }, { A: "1", B: "2" });
  assert.equal(result.config.preload, false);
  assert.equal(result.config.deadlineMs, 5000);
});

test("loadFlags() reports problems without a line", () => {
  const result = loadFlags(new Map([["deadlin", ["5s"]]]), "/");
  assert.ok(!result.ok);
  assert.deepEqual(
    result.problems.map(({ file, line }) => [file, line]),
    [
      ["command line", 0],
      ["command line", 0],
      ["command line", 0],
    ],
  );
});

test("schema() describes every key and allows no other", () => {
  const document = JSON.parse(schema());
  assert.equal(document.$schema, "https://json-schema.org/draft/2020-12/schema");
  assert.equal(document.additionalProperties, false);
  for (const spec of usableOptions("vassal")) {
    const [group = "", member] = spec.name.split(".");
    const property = document.properties[group];
    const mapping = property.anyOf?.find((one: { type?: unknown }) => one.type === "object");
    const found = member === undefined ? property : (mapping ?? property).properties[member];
    const text = JSON.stringify(found);
    assert.ok(text.includes(JSON.stringify(spec.doc)), spec.name);
    for (const { name } of spec.aliases) {
      if (!name.includes(".")) assert.ok(name in document.properties, name);
    }
  }
  assert.ok("vassals" in JSON.parse(schema("emperor")).properties);
});
