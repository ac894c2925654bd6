/** The interpreter that is started before anybody listens to it. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { LoaderProcess } from "../../src/runtimes/python/loader-process.ts";
import type { LoaderEnd } from "../../src/runtimes/python/loader-process.ts";
import { eventually } from "../kit/eventually.ts";

const ENV = { PATH: "/usr/bin:/bin" };

test("LoaderProcess: its lines and its end are told to a listener that comes after its death", async (t) => {
  const release = scratch(t);
  writeFileSync(join(release, "bridge.sh"), "echo last words >&2\nexit 3\n");
  const early = start(release, "bridge.sh", "/bin/sh");
  const stat = `/proc/${early.pid}/stat`;
  await eventually("it has ended", () => !existsSync(stat));
  const told = await listen(early);
  assert.deepEqual(told.lines, ["err last words"]);
  assert.deepEqual(told.end, { code: 3, signal: undefined, failure: undefined });
});

test("LoaderProcess: gets its settings whole, whenever they come", async (t) => {
  const release = scratch(t);
  writeFileSync(join(release, "bridge.sh"), "cat\n");
  const { lines, end } = await listen(start(release, "bridge.sh", "/bin/sh"));
  assert.deepEqual(lines, ["out the settings"]);
  assert.equal(end.code, 0);
});

test("LoaderProcess: one that cannot be started says so to whoever begins it", async (t) => {
  const early = start(scratch(t), "bridge.sh", "/nowhere/python3");
  await new Promise((resolve) => setImmediate(resolve));
  const { end } = await listen(early);
  assert.match(end.failure ?? "", /^Cannot start \/nowhere\/python3: .*ENOENT/);
});

function start(release: string, bridge: string, interpreter: string): LoaderProcess {
  const programs = { node: "", nodeWorker: "", pythonBridge: bridge };
  return new LoaderProcess({ release, env: ENV, programs }, interpreter);
}

function listen(early: LoaderProcess): Promise<{ lines: readonly string[]; end: LoaderEnd }> {
  return new Promise((resolve) => {
    const lines: string[] = [];
    early.begin("the settings", {
      line: (stream, text) => lines.push(`${stream} ${text}`),
      ended: (end) => resolve({ lines, end }),
    });
  });
}

function scratch(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "tsgi-early-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
