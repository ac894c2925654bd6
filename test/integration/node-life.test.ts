/** The life of node workers: starting, failing, deadlines, crashes, recycling, draining. */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { readdirSync } from "node:fs";
import { Agent, request } from "node:http";
import { test } from "node:test";
import { eventually } from "../kit/eventually.ts";
import { ask } from "../kit/http.ts";
import { startNode, type NodeFixture } from "../kit/node-runtime.ts";
import { APPS } from "../kit/paths.ts";

const RELEASE = `${APPS}node`;
const DEADLINE_MS = 400;

const pids = (app: NodeFixture): readonly number[] => app.runtime.workers().map(({ pid }) => pid);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

for (const [target, reason] of [
  ["syntax-error.mjs", /SyntaxError/],
  ["throws.cjs", /boom while loading/],
  ["nothing.mjs", /exports no application and never listens/],
  ["exits.mjs", /exit code 7/],
  ["missing.js", /there is no such file/],
  ["../../kit/paths.ts", /outside the release/],
] as const) {
  test(`start() rejects with the reason for ${target}`, async () => {
    await assert.rejects(startNode(RELEASE, target, { loadOnly: true }), {
      name: "StartFailure",
      message: reason,
    });
  });
}

test("start() loads, serve() accepts: a connection made before waits in the kernel", async () => {
  await using app = await startNode(RELEASE, "fetch.mjs", { loadOnly: true });
  const early = ask({ port: app.port }, "/");
  await app.runtime.serve();
  assert.equal((await early).body, "Hello, World!");
});

test("health is asked of every worker before start() resolves", async () => {
  await using app = await startNode(RELEASE, "fetch.mjs", { health: "/well", loadOnly: true });
  assert.deepEqual(
    app.events.map(({ kind, message }) => `${kind} ${message}`).slice(1),
    Array.from({ length: 2 }, () => "unhealthy worker 1: health /well answered 503: waiting"),
  );
});

test("the application's environment is the vassal's own, its directory the release", async () => {
  await using app = await startNode(RELEASE, "environment.mjs");
  const facts = JSON.parse((await ask({ port: app.port }, "/")).body) as Record<string, unknown>;
  assert.deepEqual(facts["names"], ["HOME", "PATH"]);
  assert.equal(facts["cwd"], RELEASE);
  assert.deepEqual(facts["execArgv"], []);
  assert.equal(facts["send"], "undefined");
});

test("a request past the deadline gets 504 alone; its worker is replaced first, then drained", async () => {
  await using app = await startNode(RELEASE, "fetch.mjs", { deadlineMs: DEADLINE_MS });
  const [old] = pids(app);
  const other = ask({ port: app.port }, "/sleep");
  assert.equal((await ask({ port: app.port }, "/never")).status, 504);
  assert.equal((await other).body, "slept");
  await app.line(/event deadline\| worker 1: GET \/never: past the deadline of 400 ms/);
  await eventually("the old worker is gone", () => old !== undefined && !isAlive(old));
  assert.notEqual((await ask({ port: app.port }, "/pid")).body, String(old));
  const kinds = app.events.map(({ kind }) => kind);
  assert.deepEqual(kinds, ["worker-ready", "deadline", "worker-ready", "worker-recycled"]);
});

for (const [path, frame] of [
  ["/spin", /at \/spin \(.*fetch\.mjs:\d+:\d+\)/],
  ["/spin-later", /at \/spin-later \(.*fetch\.mjs:\d+:\d+\)/],
] as const) {
  test(`a blocked event loop (${path}) is answered 504, its stack logged, its worker replaced`, async () => {
    await using app = await startNode(RELEASE, "fetch.mjs", { deadlineMs: DEADLINE_MS });
    const [old] = pids(app);
    const answer = await ask({ port: app.port }, path);
    assert.deepEqual([answer.status, answer.headers["connection"]], [504, "close"]);
    await app.line(frame);
    await app.line(new RegExp(`JavaScript stack of worker 1 \\(GET ${path}\\)`));
    await eventually("the old worker is gone", () => old !== undefined && !isAlive(old));
    assert.equal((await ask({ port: app.port }, "/")).body, "Hello, World!");
    assert.equal(app.runtime.counters().requestsFailed, 1);
  });
}

test("an event loop blocked in native code is answered 504 too", async () => {
  await using app = await startNode(RELEASE, "listener.cjs", { deadlineMs: DEADLINE_MS });
  assert.equal((await ask({ port: app.port }, "/exec")).status, 504);
  await app.line(/GET \/exec: the event loop is blocked/);
  assert.equal((await ask({ port: app.port }, "/")).body, "listener hello");
});

test("a blocked worker does not hold up a drain", async () => {
  await using app = await startNode(RELEASE, "fetch.mjs", {
    deadlineMs: DEADLINE_MS,
    drainTimeoutMs: 60_000,
  });
  const [pid = 0] = pids(app);
  const blocked = ask({ port: app.port }, "/spin");
  await app.line(/event deadline/);
  const states: string[] = [];
  const drained = app.runtime.drain(60_000, () => states.push("released"));
  assert.equal((await blocked).status, 504);
  await drained;
  assert.deepEqual(states, ["released"]);
  await eventually("the blocked worker is gone", () => !isAlive(pid));
});

test("a worker that was stopped for a while is not taken for a blocked one", async () => {
  await using app = await startNode(RELEASE, "fetch.mjs", { deadlineMs: 2000 });
  const [pid = 0] = pids(app);
  // The watchdog is awake, and nothing is under way.
  assert.equal((await ask({ port: app.port }, "/")).status, 200);
  process.kill(pid, "SIGSTOP");
  await new Promise((resolve) => {
    setTimeout(resolve, 3000);
  });
  process.kill(pid, "SIGCONT");
  assert.equal((await ask({ port: app.port }, "/pid")).body, String(pid));
  assert.equal((await ask({ port: app.port }, "/sleep")).body, "slept");
  assert.deepEqual(
    app.events.map(({ kind }) => kind),
    ["worker-ready"],
  );
});

test("an application may answer anew after a header that cannot be sent", async () => {
  await using app = await startNode(RELEASE, "listener.cjs");
  const answer = await ask({ port: app.port }, "/bad-head");
  assert.deepEqual([answer.status, answer.body], [500, "second try"]);
});

test("an uncaught exception ends the worker: 502 for what had not begun, the rest goes on", async () => {
  await using app = await startNode(RELEASE, "listener.cjs");
  const { port } = app;
  const begun = Promise.withResolvers<void>();
  const partial = new Promise<string>((resolve, reject) => {
    const call = request({ port, path: "/partial", agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (more: string) => {
        text += more;
        begun.resolve();
      });
      answer.on("end", () => resolve(text));
      answer.on("error", reject);
    });
    call.on("error", reject);
    call.end();
  });
  await begun.promise;
  const waiting = ask({ port }, "/wait");
  await app.line(/out\| waiting/);
  const crash = ask({ port }, "/crash");
  assert.equal((await waiting).status, 502);
  assert.equal((await crash).status, 502);
  assert.equal(await partial, "begun and ended");
  await app.line(/err\|.*late boom/);
  await app.line(/event worker-died\| worker 1 died with exit code 1/);
  assert.equal((await ask({ port }, "/")).body, "listener hello");
});

test("process.exit() of the application answers 502 instead of a reset", async () => {
  await using app = await startNode(RELEASE, "fetch.mjs");
  const other = ask({ port: app.port }, "/never");
  await eventually("the other request is there", () => app.runtime.workers()[0]?.state === "busy");
  const answer = await ask({ port: app.port }, "/exit");
  assert.equal(answer.status, 502);
  assert.equal((await other).status, 502);
  await app.line(/the application ended the process \(exit code 3\)/);
  assert.equal((await ask({ port: app.port }, "/")).body, "Hello, World!");
});

test("SIGKILL of a worker is repaired without a command", async () => {
  await using app = await startNode(RELEASE, "fetch.mjs");
  const [old = 0] = pids(app);
  process.kill(old, "SIGKILL");
  await app.line(/worker-died\| worker 1 died by SIGKILL/);
  assert.equal((await ask({ port: app.port }, "/")).body, "Hello, World!");
  assert.notEqual(pids(app)[0], old);
});

test("max-requests recycles a worker under keep-alive load without a failed request", async () => {
  await using app = await startNode(RELEASE, "fetch.mjs", { maxRequests: 200 });
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const pidsSeen = new Set<string>();
  await eventually("three workers have served", async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => ask({ port: app.port }, "/pid", { agent })),
    );
    for (const answer of answers) {
      assert.equal(answer.status, 200);
      pidsSeen.add(answer.body);
    }
    return pidsSeen.size >= 3;
  });
  agent.destroy();
});

test("drain() fails no request of keep-alive clients and says released first", async () => {
  await using app = await startNode(RELEASE, "fetch.mjs", { workers: { min: 2, max: 2 } });
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const states: string[] = [];
  const warm = Array.from({ length: 64 }, () => ask({ port: app.port }, "/", { agent }));
  assert.ok((await Promise.all(warm)).every((answer) => answer.status === 200));
  const inFlight = Array.from({ length: 8 }, () => ask({ port: app.port }, "/sleep", { agent }));
  await eventually("they are there", () => app.runtime.workers().some((w) => w.state === "busy"));
  app.runtime.beginDrain();
  const drained = app.runtime.drain(10_000, () => states.push("released"));
  for (const answer of await Promise.all(inFlight)) {
    assert.deepEqual([answer.body, answer.headers["connection"]], ["slept", "close"]);
  }
  await drained;
  states.push("drained");
  assert.deepEqual(states, ["released", "drained"]);
  const counters = app.runtime.counters();
  assert.equal(counters.requestsServed, 72);
  assert.deepEqual([counters.connectionsOpen, counters.connectionsReset], [0, 0]);
  agent.destroy();
});

test("SIGTERM handlers and server.close() of a program run after the drain, not before", async () => {
  await using app = await startNode(RELEASE, "program.cjs");
  const slow = ask({ port: app.port }, "/slow");
  await eventually("it is there", () => app.runtime.workers()[0]?.state === "busy");
  process.kill(pids(app)[0] ?? 0, "SIGTERM");
  assert.equal((await slow).body, "slow done");
  await app.line(/got SIGTERM/);
  await app.line(/server closed/);
  assert.ok(
    app.lines.findIndex((line) => line.includes("got SIGTERM")) >= 0 &&
      app.events.every(({ kind }) => kind !== "worker-killed"),
  );
});

test("workers whose vassal process dies drain and end", async () => {
  const vassal = fork(new URL("../fixtures/programs/node-vassal.ts", import.meta.url), [RELEASE]);
  const { port, worker } = await new Promise<{ port: number; worker: number }>((resolve) => {
    vassal.once("message", (message) => resolve(message as { port: number; worker: number }));
  });
  const slow = new Promise<string>((resolve, reject) => {
    request({ port, path: "/slow", agent: false }, (answer) => {
      answer.setEncoding("utf8").on("data", resolve);
    })
      .on("error", reject)
      .end();
  });
  await eventually("the request is there", async () => (await ask({ port }, "/")).status === 200);
  vassal.kill("SIGKILL");
  assert.equal(await slow, "slow done");
  await eventually("the worker has ended", () => !isAlive(worker));
});

test("stop() leaves no process, and no descriptor in the vassal process", async () => {
  const open = (): number => readdirSync("/proc/self/fd").length;
  const app = await startNode(RELEASE, "fetch.mjs", { workers: { min: 3, max: 3 } });
  const running = pids(app);
  assert.equal(running.length, 3);
  await ask({ port: app.port }, "/");
  await app[Symbol.asyncDispose]();
  assert.deepEqual(running.filter(isAlive), []);
  const before = open();
  for (let round = 0; round < 2; round += 1) {
    await (await startNode(RELEASE, "fetch.mjs"))[Symbol.asyncDispose]();
  }
  await eventually("descriptors are back", () => open() <= before);
});

test("the request log is written by workers, line by line", async () => {
  await using app = await startNode(RELEASE, "fetch.mjs", { requestLog: "json" });
  await ask({ port: app.port }, "/?logged");
  const line = await app.line(/req\|/);
  assert.equal((JSON.parse(line.slice(line.indexOf("{"))) as { status: number }).status, 200);
});

test("many aborted and finished requests leave no descriptor and no flight behind", async () => {
  await using app = await startNode(RELEASE, "listener.cjs");
  const [pid = 0] = pids(app);
  await ask({ port: app.port }, "/");
  const before = readdirSync(`/proc/${pid}/fd`).length;
  for (let round = 0; round < 20; round += 1) {
    const calls = Array.from({ length: 10 }, () => {
      const call = request({ port: app.port, path: "/wait", agent: false });
      call.on("error", () => undefined);
      call.end(() => setImmediate(() => call.destroy()));
      return ask({ port: app.port }, "/");
    });
    await Promise.all(calls);
  }
  await eventually("nothing is under way", () => app.runtime.workers()[0]?.state === "idle");
  await eventually("descriptors are back", () => {
    return readdirSync(`/proc/${pid}/fd`).length <= before + 1;
  });
});
