/** The memory of small files: used for what has not changed, and for nothing else. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Root } from "../../src/runtimes/static/file-door.ts";
import { FileStore } from "../../src/runtimes/static/file-store.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "tsgi-store-"));
after(() => rmSync(FOLDER, { recursive: true }));

/** A store for which every file is old: only such files are remembered. */
function openStore(): FileStore {
  const root = new Root(FOLDER, { followSymlinks: false });
  const wallMs = (): number => Date.now() + 60_000;
  return new FileStore(root, { cacheControl: undefined, negotiated: true, wallMs });
}

function bodyOf(loaded: ReturnType<FileStore["load"]>): Buffer {
  assert.ok(loaded.kind === "memory");
  return loaded.body;
}

test("FileStore reads a file once, and again after any edit", () => {
  const name = join(FOLDER, "a.txt");
  writeFileSync(name, "one");
  utimesSync(name, 1000, 1000);
  const store = openStore();
  const first = bodyOf(store.load("a.txt"));
  assert.equal(bodyOf(store.load("a.txt")), first);
  unlinkSync(name);
  writeFileSync(name, "two");
  utimesSync(name, 1000, 1000);
  assert.equal(bodyOf(store.load("a.txt")).toString(), "two");
  unlinkSync(name);
  assert.equal(store.load("a.txt").kind, "missing");
});

test("FileStore gives nothing from memory for a name that leads outside by now", () => {
  const name = join(FOLDER, "b.txt");
  writeFileSync(name, "inside");
  const store = openStore();
  assert.equal(bodyOf(store.load("b.txt")).toString(), "inside");
  unlinkSync(name);
  symlinkSync("/etc/passwd", name);
  assert.equal(store.load("b.txt").kind, "forbidden");
});

test("FileStore keeps a file and the same file as a coding of another apart", () => {
  writeFileSync(join(FOLDER, "c.js.br"), "brotli");
  const store = openStore();
  const coded = store.load("c.js.br", { coding: "br", contentType: "text/javascript" });
  const named = store.load("c.js.br");
  assert.ok(coded.kind === "memory" && named.kind === "memory");
  assert.match(
    coded.representation.wholeLines,
    /Content-Type: text\/javascript\r\n[^]*Content-Encoding: br\r\n/,
  );
  assert.doesNotMatch(named.representation.wholeLines, /Content-Encoding|javascript/);
});
