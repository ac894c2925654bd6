/** emperor.yaml. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadEmperorSettings } from "../../../src/config/emperor-settings.ts";
import { formatProblem } from "../../../src/config/problem.ts";

function load(text: string) {
  return loadEmperorSettings({ file: "/etc/tsgi/emperor.yaml", bytes: Buffer.from(text) });
}

test("loadEmperorSettings() reads every key and resolves folders against its own", () => {
  const result = load(`
vassals: [vassals, /srv/vassals]
runtime-dir: /run/x
state-dir: state
spawn-concurrency: 3
rescan-interval: 3s
log-level: debug
env-pass: [TZ, HTTPS_PROXY]
`);
  assert.ok(result.ok);
  assert.deepEqual(result.config, {
    vassals: ["/etc/tsgi/vassals", "/srv/vassals"],
    runtimeDir: "/run/x",
    stateDir: "/etc/tsgi/state",
    spawnConcurrency: 3,
    rescanIntervalMs: 3000,
    logLevel: "debug",
    envPass: ["TZ", "HTTPS_PROXY"],
  });
});

test("loadEmperorSettings() leaves what depends on the machine to the caller", () => {
  const result = load("log-level: warn\n");
  assert.ok(result.ok);
  assert.deepEqual(result.config, {
    vassals: [],
    rescanIntervalMs: 10_000,
    logLevel: "warn",
    envPass: [],
  });
});

test("loadEmperorSettings() refuses keys of vassal files and reports all problems", () => {
  const result = load("listen: http://:80\nlog-levl: info\nspawn-concurrency: 0\n");
  assert.ok(!result.ok);
  assert.deepEqual(
    result.problems.map((problem) => formatProblem(problem)),
    [
      "/etc/tsgi/emperor.yaml:1:1: unknown key 'listen'; 'tsgi-emperor explain' lists all keys",
      "/etc/tsgi/emperor.yaml:2:1: unknown key 'log-levl'; did you mean 'log-level'?",
      "/etc/tsgi/emperor.yaml:3:20: spawn-concurrency: '0' is not a whole number from 1 to 1024; write a number from 1 to 1024",
    ],
  );
});
