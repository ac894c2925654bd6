import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { SILENT_LOG } from "../../src/core/log.ts";
import { openControlSocket } from "../../src/emperor/control-socket.ts";
import type { EmperorSnapshot } from "../../src/stats/emperor-snapshot.ts";
import { eventually } from "../kit/eventually.ts";
import { FakeControl } from "../kit/fake-control.ts";
import { ROOT } from "../kit/paths.ts";
import { missing } from "../kit/programs.ts";
import { sampleVassal } from "../kit/sample-snapshot.ts";

const EMPEROR = `${ROOT}src/cli/tsgi-emperor.ts`;
const TSGI = `${ROOT}src/cli/tsgi.ts`;

function scratch(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "tsgi-cli-"));
  context.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function cli(
  parameters: readonly string[],
  env: Readonly<Record<string, string>> = {},
  program = EMPEROR,
): Promise<Result> {
  const options = { env: { PATH: process.env["PATH"] ?? "", ...env }, cwd: tmpdir() };
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...parameters], options, (error, stdout, stderr) => {
      const code = typeof error?.code === "number" ? error.code : -1;
      resolve({ code: error === null ? 0 : code, stdout, stderr });
    });
  });
}

/** A control socket with a fake emperor behind it. */
async function fakeEmperor(
  context: TestContext,
): Promise<{ control: FakeControl; folder: string; env: Record<string, string> }> {
  const folder = scratch(context);
  const control = new FakeControl();
  const socket = await openControlSocket({
    path: join(folder, "control.sock"),
    control,
    emperorUid: process.getuid?.() ?? 0,
    log: SILENT_LOG,
    shutdown: (reason) => control.shutdown(reason),
  });
  context.after(() => socket.close());
  return { control, folder, env: { TSGI_RUNTIME_DIR: folder } };
}

const USAGE: readonly (readonly string[])[] = [
  ["nope"],
  ["wait"],
  ["wait", "x", "--timeout", "soon"],
  ["status", "--nope"],
  ["logs", "-n", "many"],
  ["run", "--log-format", "xml"],
  ["check", "/no/such/file.yaml"],
  ["explain", "no-such-key"],
];
for (const parameters of USAGE) {
  test(`tsgi-emperor ${parameters.join(" ")} exits 2 and says why on stderr`, async () => {
    const { code, stdout, stderr } = await cli(parameters);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.notEqual(stderr, "");
  });
}

test("help and version exit 0", async () => {
  assert.equal((await cli(["--help"])).code, 0);
  assert.match((await cli(["--version"])).stdout, /^\d+\.\d+\.\d+\n$/);
  assert.match((await cli(["--flags"], {}, TSGI)).stdout, /^--listen /m);
  assert.equal(JSON.parse((await cli(["schema"])).stdout) instanceof Object, true);
});

test("tsgi without a file or flags exits 2, and so do flags that make no vassal", async () => {
  assert.equal((await cli([], {}, TSGI)).code, 2);
  const { code, stderr } = await cli(["--lisen", ":1", "--python", "a:b"], {}, TSGI);
  assert.equal(code, 2);
  assert.match(stderr, /did you mean 'listen'/);
});

test("client commands exit 3 when no emperor answers, naming where they looked", async (context) => {
  const folder = scratch(context);
  for (const command of [
    ["status"],
    ["wait", "x"],
    ["reload", "x"],
    ["logs"],
    ["events"],
    ["shutdown"],
  ]) {
    const { code, stderr } = await cli([...command, "--runtime-dir", folder]);
    assert.equal(code, 3, command.join(" "));
    assert.ok(stderr.includes(folder));
  }
  assert.equal((await cli(["status", "--runtime-dir", `/${"x".repeat(200)}`])).code, 3);
});

test("an older Node hands over to the one installed beside the program, or exits 2", async () => {
  // Whatever runs this test plays the older release; the second one is real.
  const pretend = `Object.defineProperty(process.versions,"node",{value:"20.1.0"});`;
  const preload = `data:text/javascript,${encodeURIComponent(pretend)}`;
  const attempt = (env: Readonly<Record<string, string>>): Promise<Result> =>
    cli([preload, EMPEROR, "--version"], env, "--import");
  const handed = await attempt({});
  assert.match(handed.stdout, /^\d+\.\d+\.\d+\n$/);
  assert.equal(handed.code, 0);
  const stuck = await attempt({ TSGI_NODE_HANDED_OVER: "1" });
  assert.equal(stuck.code, 2);
  assert.match(stuck.stderr, /Cannot run on Node 20\.1\.0/);
});

test("status prints a plain table without a terminal, and one JSON document with --json", async (context) => {
  const { env } = await fakeEmperor(context);
  const table = await cli(["status"], env);
  assert.equal(table.code, 0);
  assert.match(table.stdout, /^NAME +STATE +URHS/);
  assert.ok(!table.stdout.includes("\u001b"));
  const { vassals } = JSON.parse(
    (await cli(["status", "shop", "--json"], env)).stdout,
  ) as EmperorSnapshot;
  assert.deepEqual(
    vassals.map(({ name }) => name),
    ["shop"],
  );
  const unknown = await cli(["status", "nobody"], env);
  assert.equal(unknown.code, 2);
  assert.equal(unknown.stdout, "");
});

test("wait exits 0, 1 and 124, and prints the reason with the last lines", async (context) => {
  const { control, env } = await fakeEmperor(context);
  const live = await cli(["wait", "blog"], env);
  assert.deepEqual([live.code, live.stdout], [0, "blog: generation 3 is live\n"]);
  control.failing.add("shop");
  const failed = await cli(["wait", "blog", "shop"], env);
  assert.equal(failed.code, 1);
  assert.match(failed.stdout, /^shop: it exited with code 22\n {2}\| Traceback\n/m);
  control.hanging.add("blog");
  const late = await cli(["wait", "blog", "--timeout", "50ms"], env);
  assert.deepEqual([late.code, late.stdout], [124, "blog: no result within 50ms\n"]);
  const json = JSON.parse((await cli(["wait", "shop", "--json"], env)).stdout) as {
    outcome: string;
  };
  assert.equal(json.outcome, "failed");
});

test("commands reach the emperor, exit 1 when one failed, and can wait for the result", async (context) => {
  const { control, env } = await fakeEmperor(context);
  const done = await cli(["reload", "*", "--wait"], env);
  assert.equal(done.code, 0);
  assert.match(
    done.stdout,
    /blog: vassal blog reloads\nshop: vassal shop reloads\nblog: generation 3 is live/,
  );
  control.failing.add("shop");
  const failed = await cli(["stop", "*"], env);
  assert.deepEqual(
    [failed.code, failed.stdout],
    [1, "blog: vassal blog stops\nshop: Cannot stop\n"],
  );
});

test("events prints lines for people or JSON lines", async (context) => {
  const { control, env } = await fakeEmperor(context);
  control.tell("hello\u001b[2J", "blog");
  assert.equal(
    (await cli(["events"], env)).stdout,
    "1970-01-01T00:00:00.000Z blog test: hello\\x1b[2J\n",
  );
  const line = JSON.parse((await cli(["events", "--json"], env)).stdout) as { seq: number };
  assert.equal(line.seq, 1);
});

const stamp = (second: number): string =>
  `2026-11-22T15:00:${String(second).padStart(2, "0")}.000Z`;

test("logs merges the logs by time and -f follows growth, truncation and renaming", async (context) => {
  const { control, folder, env } = await fakeEmperor(context);
  const first = join(folder, "blog.log");
  const second = join(folder, "shop.log");
  control.vassals = [
    sampleVassal({ logFile: first }),
    sampleVassal({ name: "shop", logFile: second }),
  ];
  writeFileSync(first, `${stamp(1)} blog one\n${stamp(3)} blog three\n  Traceback\n`);
  writeFileSync(second, `${stamp(2)} shop two\n`);
  const { stdout } = await cli(["logs"], env);
  const words = [...stdout.matchAll(/(one|two|three|Traceback)/g)].map(([word]) => word);
  assert.deepEqual(words, ["one", "two", "three", "Traceback"]);
  assert.equal((await cli(["logs", "-n", "1", "shop"], env)).stdout, `${stamp(2)} shop two\n`);

  const following = spawn(process.execPath, [EMPEROR, "logs", "-f", "-n", "1"], {
    env: { ...process.env, ...env },
  });
  context.after(() => following.kill("SIGKILL"));
  let text = "";
  following.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const sees = (what: string): Promise<unknown> => eventually(what, () => text.includes(what));
  await sees("Traceback");
  appendFileSync(first, `${stamp(4)} grown\n`);
  await sees("grown");
  truncateSync(first);
  appendFileSync(first, `${stamp(5)} cut\n`);
  await sees("cut");
  renameSync(second, `${second}.1`);
  writeFileSync(second, `${stamp(6)} renamed\n`);
  await sees("renamed");
  assert.ok(!text.includes("one"));
  following.kill();
  await new Promise((resolve) => following.once("close", resolve));
});

interface Running {
  readonly process: ChildProcess;
  readonly runtimeDir: string;
  readonly stateDir: string;
  readonly output: () => string;
}

/** A real emperor without vassals, from the sources. */
async function runEmperor(context: TestContext, ...extra: readonly string[]): Promise<Running> {
  const folder = scratch(context);
  mkdirSync(join(folder, "vassals"));
  const runtimeDir = join(folder, "run");
  const stateDir = join(folder, "state");
  const parameters = [
    "run",
    "--vassals",
    "vassals",
    "--runtime-dir",
    "run",
    "--state-dir",
    "state",
  ];
  const child = spawn(process.execPath, [EMPEROR, ...parameters, ...extra], { cwd: folder });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  context.after(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("close", resolve));
    }
  });
  await eventually(`the emperor answers\n${text}`, async () => {
    assert.equal(child.exitCode, null, text);
    return (await cli(["status", "--runtime-dir", runtimeDir])).code === 0;
  });
  return { process: child, runtimeDir, stateDir, output: () => text };
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    else child.once("exit", resolve);
  });
}

test("run makes its folders, refuses a second emperor with exit 2, and a stale lock is no obstacle", async (context) => {
  const first = await runEmperor(context);
  assert.equal(statSync(first.runtimeDir).mode & 0o777, 0o755);
  assert.equal(statSync(first.stateDir).mode & 0o777, 0o711);
  const options = ["--runtime-dir", first.runtimeDir, "--state-dir", first.stateDir];
  const second = await cli(["run", ...options]);
  assert.equal(second.code, 2);
  assert.match(second.stderr, new RegExp(`the emperor with pid ${first.process.pid} runs there`));
  first.process.kill("SIGKILL");
  await exitOf(first.process);
  assert.equal(existsSync(join(first.runtimeDir, "control.sock")), true);
  const third = spawn(process.execPath, [EMPEROR, "run", "--vassals", first.stateDir, ...options]);
  third.stdout.resume();
  third.stderr.resume();
  await eventually("the next emperor answers", async () => {
    assert.equal(third.exitCode, null);
    return (await cli(["status", "--runtime-dir", first.runtimeDir])).code === 0;
  });
  assert.equal((await cli(["shutdown", "--runtime-dir", first.runtimeDir])).code, 0);
  assert.equal(await exitOf(third), 0);
  assert.equal(existsSync(join(first.runtimeDir, "control.sock")), false);
});

test("run ends with 0 at SIGTERM and at SIGINT", async (context) => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const { process: emperor } = await runEmperor(context);
    emperor.kill(signal);
    assert.equal(await exitOf(emperor), 0);
  }
});

test("a storm of SIGHUP is one rescan, or two", async (context) => {
  const { process: emperor, output } = await runEmperor(context);
  for (let index = 0; index < 1000; index += 1) emperor.kill("SIGHUP");
  const count = (): number => output().match(/folders are read again/g)?.length ?? 0;
  await eventually("the first rescan", () => count() >= 1);
  emperor.kill("SIGTERM");
  await exitOf(emperor);
  assert.ok(count() <= 2, output());
});

test("run goes on when nobody reads its output any more", async (context) => {
  const { process: emperor, runtimeDir } = await runEmperor(context);
  emperor.stdout?.destroy();
  emperor.stderr?.destroy();
  emperor.kill("SIGHUP");
  await eventually("the rescan is in the past", async () => {
    const { code } = await cli(["events", "--runtime-dir", runtimeDir]);
    return code === 0;
  });
  assert.equal((await cli(["status", "--runtime-dir", runtimeDir])).code, 0);
  emperor.kill("SIGTERM");
  assert.equal(await exitOf(emperor), 0);
});

test("run logs JSON when asked to", async (context) => {
  const { process: emperor, output } = await runEmperor(context, "--log-format", "json");
  emperor.kill("SIGTERM");
  await exitOf(emperor);
  const lines = output().trim().split("\n");
  for (const line of lines)
    assert.equal(typeof (JSON.parse(line) as { msg: unknown }).msg, "string");
});

test("run exits 2 for what can never work", async (context) => {
  const folder = scratch(context);
  const options = ["--runtime-dir", join(folder, "run"), "--state-dir", join(folder, "state")];
  const settings = join(folder, "emperor.yaml");
  const missingFile = await cli(["run", ...options, "--config", settings]);
  assert.equal(missingFile.code, 2);
  assert.ok(missingFile.stderr.includes(settings));
  writeFileSync(settings, "vasals: x\n");
  const wrong = await cli(["run", ...options, "--config", settings]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /emperor\.yaml:1:1: .*did you mean 'vassals'/);
  writeFileSync(join(folder, "file"), "");
  assert.equal((await cli(["run", "--runtime-dir", join(folder, "file")])).code, 2);
  assert.equal((await cli(["run", "--runtime-dir", `/tmp/${"x".repeat(200)}`])).code, 2);
});

test("client output may be closed early", { skip: missing("sh", "head") }, async (context) => {
  const { control, env } = await fakeEmperor(context);
  control.vassals = Array.from({ length: 2000 }, (_, index) => sampleVassal({ name: `v${index}` }));
  const command = `"$0" "$1" status | head -1; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = await new Promise<{ stdout: string; stderr: string }>((resolve) => {
    const options = { env: { ...process.env, ...env } };
    execFile("bash", ["-c", command, process.execPath, EMPEROR], options, (_error, out, errors) => {
      resolve({ stdout: out, stderr: errors });
    });
  });
  assert.equal(stderr, "");
  assert.match(stdout, /^NAME .*\n0\n$/);
});

test("systemd accepts the unit", { skip: missing("systemd-analyze") }, async (context) => {
  const folder = scratch(context);
  const unit = readFileSync(`${ROOT}systemd/tsgi-emperor.service`, "utf8");
  const path = join(folder, "tsgi-emperor.service");
  // verify asks that the program exists; where tsgi is installed is the operator's affair.
  writeFileSync(
    path,
    unit.replace(/^ExecStart=\S+ \S+/m, `ExecStart=${process.execPath} ${EMPEROR}`),
  );
  const result = await new Promise<Result>((resolve) => {
    execFile("systemd-analyze", ["verify", "--man=no", path], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : 1, stdout, stderr });
    });
  });
  assert.deepEqual(result, { code: 0, stdout: "", stderr: "" });
});
