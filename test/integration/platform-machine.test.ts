import assert from "node:assert/strict";
import { spawn, execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { TsgiError } from "../../src/core/errors.ts";
import { appendText, readBounded, writeAtomic } from "../../src/platform/files.ts";
import { isRunning, processFacts } from "../../src/platform/proc.ts";
import { startProcess } from "../../src/platform/processes.ts";
import { connectServiceManager } from "../../src/platform/systemd.ts";
import { after as later } from "../../src/platform/timers.ts";
import { sampleUsage } from "../../src/platform/usage.ts";
import { watchDirectory } from "../../src/platform/watcher.ts";
import { eventually } from "../kit/eventually.ts";
import { missing } from "../kit/programs.ts";

const folder = mkdtempSync(join(tmpdir(), "tsgi-machine-"));
const out = join(folder, "out");
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function start(
  argv: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = { PATH: "/usr/bin:/bin" },
  cwd = "/",
): ReturnType<typeof startProcess> {
  const fd = openSync(out, "w");
  try {
    return await startProcess({ argv, cwd, env, stdio: ["ignore", fd, fd, fd] });
  } finally {
    closeSync(fd);
  }
}

test("startProcess() gives exactly the environment and the descriptors, in a session of its own", async () => {
  const script = "env; echo to3 >&3; ps -o sid= -p $$; ls /proc/self/fd | wc -l; exit 7";
  const child = await start(["/bin/sh", "-c", script], { PATH: "/usr/bin:/bin", ONLY: "this" });
  assert.deepEqual(await child.exited, { code: 7, signal: undefined });
  const lines = readFileSync(out, "utf8").trim().split("\n");
  assert.ok(lines.includes("ONLY=this"));
  assert.ok(!lines.some((line) => line.startsWith("HOME=")));
  assert.ok(lines.includes("to3"));
  assert.ok(lines.map((line) => line.trim()).includes(String(child.pid)));
});

test("startProcess() reports a signal as a value, and signals to the dead are no error", async () => {
  const child = await start(["sleep", "600"]);
  assert.equal(processFacts(child.pid)?.startTime, child.startTime);
  assert.equal(isRunning(child.pid, child.startTime), true);
  child.kill("SIGTERM");
  assert.deepEqual(await child.exited, { code: undefined, signal: "SIGTERM" });
  child.kill("SIGTERM");
  child.killGroup("SIGKILL");
});

test("killGroup() reaches what the child left behind", async () => {
  const child = await start(["/bin/sh", "-c", "sleep 600 & echo $!"]);
  await child.exited;
  const orphan = Number(readFileSync(out, "utf8"));
  const born = processFacts(orphan)?.startTime ?? 0;
  assert.equal(isRunning(orphan, born), true);
  child.killGroup("SIGKILL");
  await eventually("the orphan is gone", () => !isRunning(orphan, born));
});

function failed(problem: unknown): never {
  throw new Error(`Unexpected: ${String(problem)}`);
}

const script = join(folder, "script");
writeFileSync(script, "#!/no/such/interpreter\n", { mode: 0o755 });
const FAILURES: readonly (readonly [string, string, RegExp])[] = [
  ["/no/such/program", "/", /there is no such program/],
  ["/etc/passwd", "/", /may not execute it/],
  [script, "/", /the interpreter in its first line does not exist/],
  ["/bin/true", "/no/such/folder", /the directory "\/no\/such\/folder" does not exist/],
  ["/bin/true", "/etc/passwd", /is not a directory/],
];
for (const [program, cwd, message] of FAILURES) {
  test(`startProcess() explains why ${program} in ${cwd} cannot start`, async () => {
    await assert.rejects(start([program], undefined, cwd), (error) => {
      assert.ok(error instanceof TsgiError && error.code === "TSGI_SPAWN_FAILED");
      assert.match(error.message, message);
      return true;
    });
  });
}

test("children outlive the process that started them", async () => {
  const code = `import { startProcess } from ${JSON.stringify(new URL("../../src/platform/processes.ts", import.meta.url).href)};
    const child = await startProcess({ argv: ["sleep", "600"], cwd: "/", env: { PATH: "/usr/bin:/bin" }, stdio: ["ignore", "ignore", "ignore"] });
    process.stdout.write(String(child.pid)); process.kill(process.pid, process.argv[1]);`;
  for (const signal of ["SIGKILL", "SIGTERM"]) {
    const parent = spawn(process.execPath, ["--input-type=module", "-e", code, signal]);
    let text = "";
    parent.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await new Promise((resolve) => parent.once("close", resolve));
    const pid = Number(text);
    assert.ok(pid > 0);
    const facts = processFacts(pid);
    assert.ok(facts !== undefined && facts.state !== "Z");
    process.kill(pid, "SIGKILL");
  }
});

test("sampleUsage() knows running processes and leaves out the others", async () => {
  const child = await start(["sleep", "600"]);
  const figures = await sampleUsage([process.pid, child.pid, 2 ** 30]);
  assert.deepEqual(
    [...figures.keys()].sort((a, b) => a - b),
    [process.pid, child.pid].sort((a, b) => a - b),
  );
  assert.ok((figures.get(process.pid)?.rssBytes ?? 0) > 1024 * 1024);
  child.kill("SIGKILL");
  await child.exited;
  assert.equal((await sampleUsage([child.pid])).size, 0);
  assert.equal((await sampleUsage([])).size, 0);
});

test("readBounded() gives bytes and identity, and refuses all but bounded regular files", () => {
  const path = join(folder, "file");
  writeFileSync(path, "12345");
  const read = readBounded(path, { maxBytes: 5 });
  assert.ok(read.ok);
  assert.equal(read.bytes.toString(), "12345");
  assert.equal(read.ino, statSync(path, { bigint: true }).ino);
  const codeOf = (target: string, options = { maxBytes: 100 }): string => {
    const result = readBounded(target, options);
    return result.ok ? "ok" : result.code;
  };
  assert.equal(codeOf(path, { maxBytes: 4 }), "ETOOBIG");
  assert.equal(codeOf(folder), "ENOTREG");
  assert.equal(codeOf("/dev/zero"), "ENOTREG");
  assert.equal(codeOf(join(folder, "missing")), "ENOENT");
  execFileSync("mkfifo", [join(folder, "pipe")]);
  assert.equal(codeOf(join(folder, "pipe")), "ENOTREG");
  symlinkSync(path, join(folder, "link"));
  assert.equal(codeOf(join(folder, "link")), "ok");
  const strict = readBounded(join(folder, "link"), { maxBytes: 100, noFollow: true });
  assert.equal(strict.ok ? "ok" : strict.code, "ELOOP");
  symlinkSync("loop", join(folder, "loop"));
  assert.equal(codeOf(join(folder, "loop")), "ELOOP");
  // Claims to be empty, and is not.
  assert.equal(codeOf("/proc/self/status", { maxBytes: 10 }), "ETOOBIG");
  assert.equal(codeOf("/proc/self/status", { maxBytes: 100_000 }), "ok");
});

test("writeAtomic() replaces the file with its mode, and leaves nothing behind when it fails", () => {
  const place = join(folder, "atomic");
  mkdirSync(place);
  const path = join(place, "state.json");
  assert.equal(writeAtomic(path, "one", { mode: 0o600 }), undefined);
  const first = statSync(path).ino;
  assert.equal(writeAtomic(path, "two", { mode: 0o600 }), undefined);
  assert.notEqual(statSync(path).ino, first);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(readFileSync(path, "utf8"), "two");
  mkdirSync(join(place, "taken"));
  assert.equal(writeAtomic(join(place, "taken"), "x")?.ok, false);
  assert.equal(writeAtomic(join(place, "no/folder"), "x")?.code, "ENOENT");
  assert.equal(writeAtomic(join(path, "file-as-folder"), "x")?.code, "ENOTDIR");
  assert.deepEqual(readdirSync(place), ["state.json", "taken"]);
});

test("appendText() adds to files only, and a full disk is a value", () => {
  const path = join(folder, "journal");
  assert.equal(appendText(path, "a\n"), undefined);
  assert.equal(appendText(path, "b\n"), undefined);
  assert.equal(readFileSync(path, "utf8"), "a\nb\n");
  assert.equal(appendText("/dev/full", "x")?.code, "ENOTREG");
  assert.equal(appendText(folder, "x")?.code, "EISDIR");
  execFileSync("mkfifo", [join(folder, "log-pipe")]);
  assert.equal(appendText(join(folder, "log-pipe"), "x")?.ok, false);
});

test("watchDirectory() sees entries come, change and go, and follows the folder being made again", async () => {
  const home = mkdtempSync(join(folder, "watch-"));
  symlinkSync("loop", join(home, "loop"));
  const place = join(home, "a/vassals");
  const seen: string[] = [];
  const watch = watchDirectory(place, (path) => seen.push(path), failed);
  const sees = (path: string): Promise<unknown> =>
    eventually(`a word about ${path}`, () => seen.splice(0).includes(path));
  mkdirSync(place, { recursive: true });
  await sees(place);
  writeFileSync(join(place, "x"), "1");
  await sees(join(place, "x"));
  rmSync(join(place, "x"));
  await sees(join(place, "x"));
  rmSync(join(home, "a"), { recursive: true });
  await sees(place);
  mkdirSync(place, { recursive: true });
  await sees(place);
  writeFileSync(join(place, "y"), "1");
  await sees(join(place, "y"));
  await watch.close();
});

test(
  "connectServiceManager() sends READY, STATUS, WATCHDOG and STOPPING to a real datagram socket",
  { skip: missing("python3") },
  async () => {
    const path = join(folder, "notify");
    const receiver = `import socket,sys
s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.bind(sys.argv[1]); print("bound",flush=True)
while True:
    d=s.recv(65536).decode(); print(repr(d),flush=True)
    if "STOPPING" in d: break`;
    for (const address of [path, `@tsgi-notify-${process.pid}`]) {
      const bind = address.replace(/^@/, "\\0");
      const python = spawn("python3", ["-c", receiver.replace("sys.argv[1]", `"${bind}"`)]);
      let text = "";
      python.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
      await eventually("the receiver is bound", () => text.startsWith("bound"));
      const env = { NOTIFY_SOCKET: address, WATCHDOG_USEC: "2000" };
      const manager = connectServiceManager(env, failed);
      assert.equal(manager.present, true);
      manager.ready("3 vassals\nX=1");
      manager.startWatchdog();
      manager.stopping("bye");
      manager.close();
      await new Promise((resolve) => python.once("close", resolve));
      const lines = text.trim().split("\n");
      assert.equal(lines[1], "'READY=1\\nSTATUS=3 vassals X=1\\n'");
      assert.equal(lines[2], "'WATCHDOG=1\\n'");
      assert.equal(lines.at(-1), "'STOPPING=1\\nSTATUS=bye\\n'");
    }
  },
);

test("connectServiceManager() complains once about a manager that is gone, and is silent without one", () => {
  const problems: string[] = [];
  const env = { NOTIFY_SOCKET: join(folder, "nobody") };
  const manager = connectServiceManager(env, (problem) => problems.push(problem));
  manager.ready("x");
  manager.status("x");
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? "", /ENOENT/);
  const none = connectServiceManager({}, failed);
  assert.equal(none.present, false);
  none.ready("x");
});

test("createLogger() goes on when its reader is gone and when the disk is full", async () => {
  const logger = new URL("../../src/platform/logger.ts", import.meta.url).href;
  const code = `import { createLogger } from ${JSON.stringify(logger)}; import { openSync } from "node:fs";
    const gone = createLogger({ format: "text" }); const full = createLogger({ fd: openSync("/dev/full", "w"), format: "json" });
    process.stdin.once("data", () => { for (let i = 0; i < 100; i += 1) { gone.info({}, "x".repeat(1000)); full.info({}, "y"); }
      setTimeout(() => { process.stdout.write("alive"); process.exit(0); }, 50); });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code]);
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.destroy();
  child.stdin.write("go\n");
  const exit = await new Promise((resolve) => child.once("close", resolve));
  assert.equal(exit, 0);
  assert.equal(text, "alive");
});

test("after() honours delays beyond 2^31 ms, and can be cancelled", async () => {
  let early = false;
  const cancel = later(2 ** 31 + 5, () => (early = true));
  const cancelShort = later(0, () => (early = true));
  cancelShort();
  await new Promise<void>((resolve) => later(20, resolve));
  assert.equal(early, false);
  cancel();
  assert.equal(existsSync(folder), true);
});
