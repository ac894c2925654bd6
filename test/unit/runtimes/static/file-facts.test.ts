/** Types, dates, tags and the memory of small files. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { entityTag, isSameState, isYoung } from "../../../../src/runtimes/static/entity-tag.ts";
import { FileCache } from "../../../../src/runtimes/static/file-cache.ts";
import { formatHttpDate, parseHttpDate } from "../../../../src/runtimes/static/http-date.ts";
import { contentTypeOf } from "../../../../src/runtimes/static/mime-types.ts";
import { describeFile } from "../../../../src/runtimes/static/response-policy.ts";

const STATE = { dev: 1n, ino: 2n, size: 3n, mtimeNs: 4_000_000n, ctimeNs: 5_000_000n };
const LATER = 1_000_000;

test("contentTypeOf() knows types by extension, with a charset for text alone", () => {
  const types = {
    "index.html": "text/html; charset=utf-8",
    "A.HTML": "text/html; charset=utf-8",
    "app.min.js": "text/javascript; charset=utf-8",
    "x.mjs": "text/javascript; charset=utf-8",
    "x.json": "application/json; charset=utf-8",
    "x.svg": "image/svg+xml; charset=utf-8",
    "x.png": "image/png",
    "x.wasm": "application/wasm",
    "x.woff2": "font/woff2",
    "x.tar.gz": "application/gzip",
    README: "application/octet-stream",
    "dir.html/file": "application/octet-stream",
    "x.unknown": "application/octet-stream",
    "x.constructor": "application/octet-stream",
    "x.": "application/octet-stream",
  };
  for (const [name, type] of Object.entries(types)) assert.equal(contentTypeOf(name), type, name);
});

test("parseHttpDate() reads the three forms and nothing else", () => {
  const at = 784_111_777_000;
  assert.equal(parseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), at);
  assert.equal(parseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT"), at);
  assert.equal(parseHttpDate("Sun Nov  6 08:49:37 1994"), at);
  assert.equal(parseHttpDate(formatHttpDate(at)), at);
  const bad = ["", "now", "0", "1994-11-06T08:49:37Z", "Sun, 06 Foo 1994 08:49:37 GMT"];
  bad.push("Sun, 06 ovD 1994 08:49:37 GMT", "Sun, 36 Nov 1994 08:49:37 GMT");
  bad.push("Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC");
  for (const text of bad) assert.equal(parseHttpDate(text), undefined, text);
});

test("entityTag() changes with every fact of the file and is the same for the same", () => {
  const tag = entityTag(STATE, LATER);
  assert.match(tag, /^"[0-9a-z]+"$/);
  assert.equal(entityTag({ ...STATE }, LATER), tag);
  const others = [{ ino: 9n }, { size: 9n }, { mtimeNs: 9n }, { ctimeNs: 9n }];
  for (const other of others) {
    assert.notEqual(entityTag({ ...STATE, ...other }, LATER), tag);
    assert.equal(isSameState({ ...STATE, ...other }, STATE), false);
  }
  assert.equal(isSameState({ ...STATE }, STATE), true);
});

test("entityTag() is weak while the file is young: two edits may fall into one tick of the clock", () => {
  assert.equal(isYoung(STATE, 1000), true);
  assert.match(entityTag(STATE, 1000), /^W\/"/);
  assert.equal(isYoung(STATE, 2005), false);
});

test("FileCache drops the least recently used file when it is full, and counts what it holds", () => {
  const cache = new FileCache(10_000);
  const representation = describeFile({
    etag: '"1"',
    lastModifiedMs: 0,
    sizeBytes: 0,
    contentType: "a/b",
    coding: undefined,
    cacheControl: undefined,
    negotiated: false,
  });
  const file = { state: STATE, representation, body: Buffer.alloc(3000) };
  cache.set("a", file);
  cache.set("b", file);
  assert.equal(cache.get("a"), file);
  cache.set("c", file);
  assert.equal(cache.get("b"), undefined);
  assert.equal(cache.get("a"), file);
  assert.equal(cache.get("c"), file);
  assert.ok(cache.usedBytes <= 10_000);
  cache.set("a", file);
  cache.delete("a");
  cache.delete("a");
  cache.delete("c");
  assert.equal(cache.usedBytes, 0);
});

test("FileCache keeps nothing that is larger than all of it", () => {
  const cache = new FileCache(100);
  const representation = describeFile({
    etag: '"1"',
    lastModifiedMs: 0,
    sizeBytes: 0,
    contentType: "a/b",
    coding: undefined,
    cacheControl: undefined,
    negotiated: false,
  });
  cache.set("a", { state: STATE, representation, body: Buffer.alloc(3000) });
  assert.equal(cache.get("a"), undefined);
  assert.equal(cache.usedBytes, 0);
});
