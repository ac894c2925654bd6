/** The life of a vassal with real processes: broken deploys, deaths, stops, restarts, shutdown, sockets, hostile channels. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { isRunning, processFacts } from "../../src/platform/proc.ts";
import { eventually } from "../kit/eventually.ts";
import { ask } from "../kit/http.ts";
import { EmperorCore, someAddress, vassalText } from "../kit/in-process-emperor.ts";
import { freePort } from "../kit/ports.ts";

async function serving(port: number, more?: string): Promise<EmperorCore> {
  const core = await EmperorCore.start();
  core.drop("blog.yaml", vassalText({ port, ...(more !== undefined && { more }) }));
  await core.emperor.rescan();
  const { ok, message } = await core.wait("blog");
  assert.ok(ok, message);
  return core;
}

for (const [behave, reason] of [
  ["exit", /exited with code 1 before it was ready/],
  ["fails", /ImportError: nothing/],
  ["garbage", /garbage on its channel/],
  ["never-ready", /not ready within 500ms \(ready-timeout\)/],
  ["liar", /not ready within 500ms/],
] as const) {
  test(`a new generation that is "${behave}" is thrown away with its reason, and the old one serves on`, async () => {
    const port = await freePort();
    await using core = await serving(port);
    const before = (await ask({ port }, "/")).body;
    // Only for those that it ends: a busy machine boots slowly.
    const readyTimeout = behave === "never-ready" || behave === "liar" ? "500ms" : "30s";
    core.drop("blog.yaml", vassalText({ port, behave, more: `ready-timeout: ${readyTimeout}` }));
    const result = await core.wait("blog");
    assert.equal(result.ok, false);
    assert.match(result.message, reason);
    assert.match(result.message, /generation 1 serves on/);
    assert.equal(result.receipt?.outcome, "failed");
    if (behave === "exit" || behave === "fails")
      assert.match(result.lastLines.join("\n"), /Traceback/);
    assert.equal((await ask({ port }, "/")).body, before);
    const failed = core.pids.at(-1) ?? 0;
    await eventually(
      "the failed process is gone",
      () => processFacts(failed) === undefined || processFacts(failed)?.state === "Z",
    );
    const fixed = vassalText({ port });
    core.drop("blog.yaml", fixed);
    assert.equal((await core.wait("blog")).receipt?.generation, 3);
  });
}

test("wait ends when the old generation accepts nothing any more: every later request is the new one's", async () => {
  const port = await freePort();
  await using core = await EmperorCore.start();
  core.drop("blog.yaml", vassalText({ port, behave: "late" }));
  await core.emperor.rescan();
  assert.ok((await core.wait("blog")).ok);
  core.drop("blog.yaml", vassalText({ port }));
  const { receipt } = await core.wait("blog");
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask({ port }, "/")));
  assert.deepEqual([...new Set(answers.map(({ body }) => body.split(" ")[1]))], ["2"]);
  assert.ok(receipt);
  const { servingAtMs, oldReleasedAtMs } = receipt.steps;
  assert.ok(oldReleasedAtMs - servingAtMs >= 300, `${servingAtMs} ${oldReleasedAtMs}`);
});

test("wait does not wait for an old generation that never says that it has released, and the journal says so", async () => {
  const port = await freePort();
  await using core = await EmperorCore.start();
  core.drop("blog.yaml", vassalText({ port, behave: "stubborn", more: "drain-timeout: 1s" }));
  await core.emperor.rescan();
  assert.ok((await core.wait("blog")).ok);
  core.drop("blog.yaml", vassalText({ port }));
  const { ok, receipt } = await core.wait("blog");
  assert.ok(ok);
  assert.equal(receipt?.outcome, "live");
  assert.equal(receipt.steps.oldReleasedAtMs, 0);
  await core.event("not-released", /generation 1 of vassal blog did not stop accepting within 2s/);
});

test("kill -9 of a serving vassal: it is back at once with its whole group replaced, and the journal says why", async () => {
  const port = await freePort();
  await using core = await EmperorCore.start();
  core.drop("blog.yaml", vassalText({ port, behave: "family" }));
  await core.emperor.rescan();
  assert.ok((await core.wait("blog")).ok);
  const pid = core.vassal("blog")?.pid ?? 0;
  const session = (): readonly number[] =>
    readdirSync("/proc")
      .filter((entry) => /^\d+$/.test(entry))
      .map(Number)
      .filter((each) => {
        const facts = processFacts(each);
        return facts !== undefined && facts.sessionId === pid && facts.state !== "Z";
      });
  await eventually("it has a worker", () => session().length === 2);
  process.kill(pid, "SIGKILL");
  const next = await core.until(
    "blog",
    "serving again",
    (vassal) => vassal.serving && vassal.pid !== pid,
  );
  assert.equal(next.restarts, 1);
  assert.equal((await ask({ port }, "/")).body.split(" ")[0], String(next.pid));
  await core.event("died", /generation 1 was killed by SIGKILL/);
  await eventually("the old worker is ended too", () => session().length === 0);
});

test("a vassal that exits at once backs off visibly, costs others nothing, and a touch tries again now", async () => {
  await using core = await EmperorCore.start();
  core.drop("bad.yaml", vassalText({ behave: "exit" }));
  await core.emperor.rescan();
  const result = await core.wait("bad");
  assert.equal(result.ok, false);
  assert.match(
    result.message,
    /^backing off, try 2, next in 1s, because it exited with code 1 before it was ready/,
  );
  const bad = await core.until("bad", "at its third try", ({ backoff }) => backoff?.attempt === 3);
  assert.match(bad.lastLines.join("\n"), /Traceback/);
  core.drop("good.yaml", vassalText());
  await core.emperor.rescan();
  assert.ok((await core.wait("good")).ok);
  core.drop("bad.yaml", vassalText());
  assert.ok((await core.wait("bad")).ok);
});

test("stop closes the address and survives a touch and an emperor, until start", async () => {
  const port = await freePort();
  const core = await serving(port);
  core.keepFolder();
  core.command("stop", "blog");
  await core.until("blog", "stopped", ({ state }) => state === "stopped");
  await assert.rejects(ask({ port }, "/"), { code: "ECONNREFUSED" });
  core.touch("blog.yaml");
  assert.match((await core.wait("blog")).message, /stopped by command/);
  const reload = core.emperor.command("reload", "blog", { pid: 1, uid: 0 });
  assert.equal(reload.ok, false);
  await core[Symbol.asyncDispose]();
  await using next = await EmperorCore.start({ folder: core.folder });
  assert.equal(next.vassal("blog")?.state, "stopped");
  next.command("start", "blog");
  const { receipt } = await next.wait("blog");
  assert.equal(receipt?.generation, 2, "numbers go on");
  assert.equal((await ask({ port }, "/")).status, 200);
});

test("restart ends the old process before the new one begins, and keeps the socket", async () => {
  const port = await freePort();
  await using core = await serving(port);
  const pid = core.vassal("blog")?.pid ?? 0;
  core.command("restart", "blog");
  // Its address is open all the time: this waits in the kernel's queue.
  const answer = await ask({ port }, "/");
  assert.equal(answer.status, 200);
  assert.ok((await core.wait("blog")).ok);
  assert.notEqual(core.vassal("blog")?.pid, pid);
  assert.equal(core.vassal("blog")?.restarts, 0);
});

test("a deploy that changes the address opens the new one first and closes the old one afterwards", async () => {
  const [port, moved] = [await freePort(), await freePort()];
  await using core = await serving(port);
  core.drop("blog.yaml", vassalText({ port: moved }));
  assert.ok((await core.wait("blog")).ok);
  assert.equal((await ask({ port: moved }, "/")).status, 200);
  await eventually("the old address is closed", async () =>
    ask({ port }, "/").then(
      () => false,
      () => true,
    ),
  );
});

test("an address of another vassal or of a stranger is refused with the name or the reason, and retried", async () => {
  const [port, strange] = [await freePort(), await freePort()];
  await using core = await serving(port);
  const stranger = createServer().listen(strange, "127.0.0.1");
  await new Promise((resolve) => stranger.once("listening", resolve));
  core.drop("rival.yaml", vassalText({ port }));
  core.drop("wide.yaml", vassalText({ listen: `http://0.0.0.0:${port}` }));
  core.drop("late.yaml", vassalText({ port: strange }));
  await core.emperor.rescan();
  assert.match((await core.wait("rival")).message, /vassal "blog" has it already/);
  assert.match((await core.wait("wide")).message, /vassal "blog" listens on/);
  assert.match((await core.wait("late")).message, /backing off.*Cannot listen on/);
  assert.equal((await ask({ port }, "/")).status, 200);
  await new Promise((resolve) => stranger.close(resolve));
  await core.until("late", "serving when the address is free", ({ serving }) => serving);
});

test("a wrong directory, user or program is a clear reason with the fix", async () => {
  await using core = await EmperorCore.start();
  const cases = {
    folder: [
      "directory: /nowhere/at/all",
      /the directory "\/nowhere\/at\/all" does not exist; create it/,
    ],
    user: ["user: no-such-user-here", /no user "no-such-user-here"|only root can change/],
  } as const;
  for (const [name, [more]] of Object.entries(cases))
    core.drop(`${name}.yaml`, vassalText({ more }));
  core.drop("program.yaml", `listen: ${someAddress()}\nexec: /no/such/program\n`);
  core.drop("python.yaml", `listen: ${someAddress()}\npython: app\ninterpreter: python9.9\n`);
  await core.emperor.rescan();
  for (const [name, [, reason]] of Object.entries(cases))
    assert.match((await core.wait(name)).message, reason);
  assert.match(
    (await core.wait("program")).message,
    /the program "\/no\/such\/program" does not exist/,
  );
  assert.match((await core.wait("python")).message, /the interpreter "python9.9" does not exist/);
  assert.deepEqual(core.pids, []);
});

test("shutdown ends everybody at once, and a second one does not wait for those who ignore it", async () => {
  await using core = await EmperorCore.start();
  for (const name of ["a", "b", "c"]) core.drop(`${name}.yaml`, vassalText());
  core.drop("stubborn.yaml", vassalText({ behave: "stubborn", more: "drain-timeout: 1h" }));
  await core.emperor.rescan();
  for (const name of ["a", "b", "c", "stubborn"]) assert.ok((await core.wait(name)).ok);
  const done = core.emperor.shutdown("first");
  await eventually(
    "only the stubborn one is left",
    () => core.emperor.snapshot().vassals.length === 1,
  );
  void core.emperor.shutdown("second");
  await done;
  assert.deepEqual(readdirSync(join(core.runtimeDir, "s")), [], "scratch folders are removed");
  assert.deepEqual(readdirSync(join(core.runtimeDir, "vassals")), [], "records are removed");
  assert.equal(existsSync(join(core.runtimeDir, "link.sock")), false);
});

test("a removed vassal that does not drain is killed at its deadline, and its unix socket goes", async () => {
  await using core = await EmperorCore.start();
  const path = join(core.folder, "blog.sock");
  core.drop(
    "blog.yaml",
    vassalText({ listen: `http+unix://${path}`, behave: "stubborn", more: "drain-timeout: 100ms" }),
  );
  await core.emperor.rescan();
  assert.ok((await core.wait("blog")).ok);
  assert.ok(existsSync(path));
  unlinkSync(core.path("blog.yaml"));
  await core.gone("blog");
  assert.equal(existsSync(path), false);
  assert.ok(core.events("escalated").some(({ message }) => message.includes("SIGKILL")));
});

test("a vassal has exactly its own descriptors and none of the emperor's environment", async () => {
  const port = await freePort();
  process.env["TSGI_TEST_SECRET"] = "s3cret";
  await using core = await serving(port);
  delete process.env["TSGI_TEST_SECRET"];
  const pid = core.vassal("blog")?.pid ?? 0;
  const listening = readdirSync(`/proc/${pid}/fd`).map((fd) => link(`/proc/${pid}/fd/${fd}`));
  const own = new Set(
    readdirSync("/proc/self/fd")
      .map((fd) => link(`/proc/self/fd/${fd}`))
      .filter((each) => each.startsWith("socket:")),
  );
  assert.equal(
    listening.filter((each) => own.has(each)).length,
    1,
    "only the listening socket is shared",
  );
  assert.ok(listening.some((each) => each.endsWith("/logs/blog.log")));
  assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, "utf8"), /TSGI_|NODE_OPTIONS|s3cret/);
});

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

test("a flood on the channel is read slowly, costs the others nothing, and unknown messages are ignored with one event", async () => {
  await using core = await EmperorCore.start();
  core.drop("flood.yaml", vassalText({ behave: "flood" }));
  core.drop("future.yaml", vassalText({ behave: "unknown" }));
  await core.emperor.rescan();
  assert.ok((await core.wait("future")).ok);
  await core.event("trouble", /vassal future: it sent a message that this emperor does not know/);
  await core.event("trouble", /vassal flood: it floods its channel/);
  assert.ok(core.events("noise").length < 2000, "most of the flood is still outside");
  core.command("stop", "flood");
  await core.until("flood", "stopped", ({ state }) => state === "stopped");
});

test("a runtime dir that is cleaned while running is made again at the next spawn", async () => {
  await using core = await EmperorCore.start();
  core.drop("blog.yaml", vassalText());
  await core.emperor.rescan();
  assert.ok((await core.wait("blog")).ok);
  rmSync(core.runtimeDir, { recursive: true });
  core.touch("blog.yaml");
  const result = await core.wait("blog");
  assert.ok(result.ok, result.message);
  await core.event("trouble", /was cleaned by somebody/);
});

test("a state dir on a full disk stops nobody: one event, and the vassals deploy", async () => {
  // Nothing can be made below a device: like a disk that is full, read-only or gone.
  await using core = await EmperorCore.start({ stateDir: "/dev/full/state" });
  core.drop("blog.yaml", vassalText());
  core.drop("full.yaml", vassalText({ more: "log: /dev/full" }));
  await core.emperor.rescan();
  assert.ok((await core.wait("blog")).ok);
  core.touch("blog.yaml");
  assert.equal((await core.wait("blog")).receipt?.generation, 2);
  assert.ok((await core.wait("full")).ok);
  await core.event("trouble", /^Cannot write "\/dev\/full\/state/);
  await core.event("trouble", /^Cannot open log "\/dev\/full\/state.*output is dropped/);
  assert.equal(
    core.events("trouble").filter(({ message }) => message.startsWith("Cannot write")).length,
    1,
  );
});

test("generations that a dead emperor left are ended before their vassal starts again", async () => {
  const port = await freePort();
  const core = await serving(port);
  core.keepFolder();
  const pid = core.vassal("blog")?.pid ?? 0;
  const record = readFileSync(join(core.runtimeDir, "vassals", "blog.json"), "utf8");
  const { generations } = JSON.parse(record) as {
    generations: readonly { readonly startTime: number }[];
  };
  const startTime = generations[0]?.startTime ?? 0;
  assert.ok(isRunning(pid, startTime));
  assert.doesNotMatch(record, new RegExp('"token"'), "the secret itself is not in the file");
  await core[Symbol.asyncDispose]();
  // What the record would say of a process of a dead emperor, and of a stranger that has the pid by now.
  const child = spawn("sleep", ["1000"], { detached: true, stdio: "ignore" });
  const stranger = spawn("sleep", ["1000"], { detached: true, stdio: "ignore" });
  const fact = processFacts(child.pid ?? 0);
  const gone = new Promise((resolve) => child.once("exit", resolve));
  const left = (each: number | undefined, start: number | undefined): object => ({
    generation: 7,
    pid: each,
    startTime: start,
    scratch: "/",
    listeners: [],
  });
  writeFileSync(
    join(core.runtimeDir, "vassals", "blog.json"),
    JSON.stringify({
      version: 1,
      name: "blog",
      generations: [left(child.pid, fact?.startTime), left(stranger.pid, 1)],
    }),
  );
  writeFileSync(join(core.runtimeDir, "vassals", "garbage.json"), "{");
  await using next = await EmperorCore.start({ folder: core.folder });
  await gone;
  assert.equal(processFacts(stranger.pid ?? 0)?.state === "Z", false);
  assert.notEqual(
    processFacts(stranger.pid ?? 0),
    undefined,
    "a stranger with that pid is left alone",
  );
  stranger.kill("SIGKILL");
  assert.ok((await next.wait("blog")).ok);
  assert.equal(next.events("leftover").length, 1);
});

test("the log of a vassal is never a link", async () => {
  await using core = await EmperorCore.start();
  symlinkSync("/tmp/somewhere-else", join(core.folder, "log"));
  core.drop("blog.yaml", vassalText({ more: `log: ${core.folder}/log` }));
  await core.emperor.rescan();
  assert.match((await core.wait("blog")).message, /it is a symbolic link; correct "log"/);
});

test("refresh() brings what a vassal counts now, however often it is asked, and does not wait for a silent one", async () => {
  await using core = await EmperorCore.start();
  core.drop("talks.yaml", vassalText());
  core.drop("silent.yaml", vassalText({ behave: "silent" }));
  await core.emperor.rescan();
  assert.ok((await core.wait("talks")).ok);
  assert.ok((await core.wait("silent")).ok);
  await core.emperor.refresh();
  assert.equal(core.vassal("talks")?.counters.requestsServed, 1);
  await core.emperor.refresh();
  assert.equal(core.vassal("talks")?.counters.requestsServed, 2);
  const pid = core.vassal("silent")?.pid ?? 0;
  process.kill(pid, "SIGKILL");
  await core.until("silent", "back", (vassal) => vassal.serving && vassal.pid !== pid);
  core.emperor.command("stop", "silent", { pid: 1, uid: 0 });
  await core.until("silent", "stopped", ({ state }) => state === "stopped");
  // Far beyond what a vassal may say unasked.
  for (let count = 0; count < 1000; count += 1) await core.emperor.refresh();
  assert.equal(core.vassal("talks")?.counters.requestsServed, 1002);
  assert.deepEqual(core.events("trouble"), []);
});

test("a deploy to a port that a stranger holds fails, status says how to try again, and a touch does it", async () => {
  const [port, taken] = [await freePort(), await freePort()];
  await using core = await serving(port);
  const stranger = createServer();
  await new Promise<void>((resolve) => stranger.listen(taken, "127.0.0.1", () => resolve()));
  core.drop("blog.yaml", vassalText({ port: taken }));
  const refused = await core.wait("blog");
  assert.equal(refused.ok, false);
  assert.match(
    refused.message,
    /another program listens there.*generation 1 serves on; touch the file to try again$/,
  );
  assert.equal(core.vassal("blog")?.reason, refused.message);
  assert.equal((await ask({ port }, "/")).body.split(" ")[1], "1");
  await new Promise((resolve) => stranger.close(resolve));
  core.touch("blog.yaml");
  assert.ok((await core.wait("blog")).ok);
  assert.match((await ask({ port: taken }, "/")).body, /^\d+ 3 /);
  await assert.rejects(ask({ port }, "/"), { code: "ECONNREFUSED" });
});
