import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { SILENT_LOG } from "../../../src/core/log.ts";
import { Journal } from "../../../src/emperor/journal.ts";

const DOORS = { log: SILENT_LOG, clock: { nowMs: () => 0, wallMs: () => 5 } };

test("Journal goes on with the numbers of the emperor before, and skips what is torn", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "tsgi-journal-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const first = new Journal(folder, DOORS);
  first.add({ kind: "a", message: "one" });
  first.add({ kind: "b", vassal: "blog", message: "two" });
  first.flush();
  appendFileSync(join(folder, "events.jsonl"), '{"seq":3,"atM\n\0\n[]\nnull\n');
  const second = new Journal(folder, DOORS);
  assert.deepEqual(
    second.recent(10).map(({ message }) => message),
    ["one", "two"],
  );
  assert.equal(second.add({ kind: "c", message: "three" }).seq, 3);
  second.flush();
  const last = readFileSync(join(folder, "events.jsonl"), "utf8").trim().split("\n").at(-1) ?? "";
  assert.deepEqual(JSON.parse(last), { kind: "c", message: "three", seq: 3, atMs: 5 });
});

test("Journal tells listeners until they leave, and bounds what it keeps", () => {
  const journal = new Journal("/dev/null/nowhere", DOORS);
  const heard: number[] = [];
  const leave = journal.onEvent(({ seq }) => void heard.push(seq));
  journal.add({ kind: "a", message: "x".repeat(1e6) });
  leave();
  for (let count = 0; count < 10_000; count += 1) journal.add({ kind: "a", message: "y" });
  assert.deepEqual(heard, [1]);
  assert.ok((journal.recent(1e9)[0]?.seq ?? 0) > 7000);
  assert.equal(journal.recent(2).length, 2);
  assert.equal(journal.recent(0).length, 0);
});

test("Journal survives a disk that takes nothing, and says once that it does and once that it is over", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "tsgi-journal-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const journal = new Journal(folder, DOORS);
  const bad = join("/dev/null", "x.json");
  for (let count = 0; count < 5; count += 1) assert.equal(journal.writer.replace(bad, "x"), false);
  assert.equal(journal.writer.replace(join(folder, "deep", "x.json"), "x"), true);
  const messages = journal.recent(10).map(({ message }) => message);
  assert.equal(messages.length, 2);
  assert.match(messages[0] ?? "", /^Cannot write/);
  assert.match(messages[1] ?? "", /5 writes were lost/);
});
