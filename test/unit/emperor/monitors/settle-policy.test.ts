import assert from "node:assert/strict";
import test from "node:test";
import { decideSettled, decideVanished } from "../../../../src/emperor/monitors/settle-policy.ts";

const FRESH = { unchangedForMs: 0, quietForMs: 1, openForWriting: () => false, usable: true };

test("decideSettled() lets a finished file count after a few milliseconds", () => {
  assert.equal(decideSettled(FRESH).counts, false);
  assert.ok(decideSettled(FRESH).againInMs < 20);
  assert.equal(decideSettled({ ...FRESH, unchangedForMs: 15 }).counts, true);
  assert.equal(decideSettled({ ...FRESH, quietForMs: 15 }).counts, true);
});

test("decideSettled() waits as long as somebody writes, more and more patiently, but not for ever", () => {
  const writing = { ...FRESH, openForWriting: () => true };
  assert.equal(decideSettled({ ...writing, unchangedForMs: 4000 }).counts, false);
  assert.ok(
    decideSettled({ ...writing, unchangedForMs: 900 }).againInMs > decideSettled(writing).againInMs,
  );
  assert.equal(decideSettled({ ...writing, unchangedForMs: 5000 }).counts, true);
});

test("decideSettled() asks for 100 ms of quiet when nobody can say who writes", () => {
  const unknown = { ...FRESH, openForWriting: () => undefined };
  assert.equal(decideSettled({ ...unknown, unchangedForMs: 99 }).counts, false);
  assert.equal(decideSettled({ ...unknown, unchangedForMs: 100 }).counts, true);
});

test("decideSettled() gives a file that makes no sense yet a second", () => {
  const half = { ...FRESH, usable: false };
  assert.equal(decideSettled({ ...half, unchangedForMs: 900 }).counts, false);
  assert.equal(decideSettled({ ...half, unchangedForMs: 900 }).againInMs, 100);
  assert.equal(decideSettled({ ...half, unchangedForMs: 1000 }).counts, true);
});

test("decideSettled() takes old files at once and asks nobody", () => {
  const openForWriting = (): boolean => assert.fail("asked");
  assert.equal(
    decideSettled({ unchangedForMs: 0, quietForMs: 60_000, usable: false, openForWriting }).counts,
    true,
  );
});

test("decideSettled() is not led astray by times in the future", () => {
  assert.equal(decideSettled({ ...FRESH, quietForMs: -1e12, unchangedForMs: 15 }).counts, true);
});

test("decideVanished() gives a file 200 ms to come back, and more while its folder is not trusted", () => {
  assert.equal(decideVanished(0, -5000).counts, false);
  assert.equal(decideVanished(200, -5000).counts, true);
  assert.deepEqual(decideVanished(200, 3000), { counts: false, againInMs: 3000 });
});
