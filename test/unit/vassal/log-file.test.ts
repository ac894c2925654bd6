/** The vassal's log on real files: tags, escapes, rotation by others and by itself, and a disk that is full. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../../kit/eventually.ts";
import { encodeLine, LINK_LINE_MAX } from "../../../src/ipc/link.ts";
import { LastLines } from "../../../src/vassal/last-lines.ts";
import { LogFile, oneLine } from "../../../src/vassal/log-file.ts";

function folder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "tsgi-log-"));
  context.after(() => rmSync(path, { recursive: true }));
  return path;
}

const TAG = { name: "blog", generation: 3 };

test("LogFile tags each line with time, vassal, generation, worker and stream", (context) => {
  const path = join(folder(context), "blog.log");
  const log = new LogFile(path, TAG);
  log.line(2, "err", "hello");
  log.flush();
  assert.match(readFileSync(path, "utf8"), /^\d{4}-\d\d-\d\dT[\d:.]+Z blog#3 w2 err\| hello\n$/);
});

test("oneLine() leaves tabs and letters alone, and escapes what could end a line or move a cursor", () => {
  assert.equal(oneLine("a\tb é"), "a\tb é");
  assert.equal(oneLine("a\nb\r\u001b[2J\u0000"), "a\\x0ab\\x0d\\x1b[2J\\x00");
  assert.ok(oneLine("x".repeat(100_000)).length < 9000);
});

test("LogFile goes on in a new file after a rotation by rename", async (context) => {
  const path = join(folder(context), "blog.log");
  const log = new LogFile(path, TAG);
  log.line(0, "out", "before");
  log.flush();
  renameSync(path, `${path}.old`);
  await eventually("the new file is there", () => {
    log.line(0, "out", "after");
    log.flush();
    return existsSync(path);
  });
  assert.match(readFileSync(`${path}.old`, "utf8"), /before/);
  assert.match(readFileSync(path, "utf8"), /after/);
});

test("LogFile keeps a file below its bound and one older part, and loses no line doing it", (context) => {
  const path = join(folder(context), "blog.log");
  const log = new LogFile(path, TAG);
  const text = "x".repeat(8000);
  for (let line = 0; line < 2500; line += 1) log.line(0, "out", `${line} ${text}`);
  log.flush();
  assert.ok(statSync(path).size < 17 * 1024 * 1024);
  const both = readFileSync(`${path}.1`, "utf8") + readFileSync(path, "utf8");
  const numbers = [...both.matchAll(/out\| (\d+) /g)].map((match) => Number(match[1]));
  assert.deepEqual(
    numbers,
    Array.from({ length: 2500 }, (_, line) => line),
  );
});

test("LogFile counts what could not be written, and says so when it can again", (context) => {
  const below = join(folder(context), "below");
  const log = new LogFile(join(below, "blog.log"), TAG);
  log.line(0, "out", "lost");
  log.line(0, "out", "lost too");
  log.flush();
  mkdirSync(below);
  log.line(0, "out", "fine");
  log.flush();
  const text = readFileSync(join(below, "blog.log"), "utf8");
  assert.match(text, /tsgi\| 2 log lines were lost.*\n.*out\| fine\n$/);
});

test("LogFile takes a full disk without a word", () => {
  const log = new LogFile("/dev/full", TAG);
  log.line(0, "out", "lost");
  assert.doesNotThrow(() => log.flush());
});

test("LogFile never follows a link", (context) => {
  const own = folder(context);
  writeFileSync(join(own, "victim"), "");
  symlinkSync(join(own, "victim"), join(own, "blog.log"));
  const log = new LogFile(join(own, "blog.log"), TAG);
  log.line(0, "out", "secret");
  log.flush();
  assert.equal(readFileSync(join(own, "victim"), "utf8"), "");
});

test("LastLines keeps the newest lines, and always fits into one message", () => {
  const lines = new LastLines();
  for (let number = 0; number < 1000; number += 1) lines.push(`${number}${"\u0001".repeat(2000)}`);
  const kept = lines.all();
  assert.match(kept.at(-1) ?? "", /^999/);
  const message = encodeLine({ type: "failed", reason: "x".repeat(1000), lines: kept });
  assert.ok(message.length < LINK_LINE_MAX, `${message.length}`);
});
