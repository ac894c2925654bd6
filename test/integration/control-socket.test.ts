import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { SILENT_LOG } from "../../src/core/log.ts";
import { openControlSocket } from "../../src/emperor/control-socket.ts";
import { openStatsSocket } from "../../src/emperor/stats-socket.ts";
import { listenAt } from "../../src/platform/sockets.ts";
import type { EmperorSnapshot } from "../../src/stats/emperor-snapshot.ts";
import { eventually } from "../kit/eventually.ts";
import { FakeControl } from "../kit/fake-control.ts";
import { missing } from "../kit/programs.ts";

interface Opened {
  readonly control: FakeControl;
  readonly path: string;
  readonly statsPath: string;
  readonly close: () => Promise<void>;
}

async function open(context: TestContext): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), "tsgi-control-"));
  chmodSync(folder, 0o755);
  const control = new FakeControl();
  const path = join(folder, "control.sock");
  const statsPath = join(folder, "stats.sock");
  const emperorUid = process.getuid?.() ?? 0;
  const shutdown = (reason: string): Promise<void> => control.shutdown(reason);
  const sockets = [
    await openControlSocket({ path, control, emperorUid, log: SILENT_LOG, shutdown }),
    await openStatsSocket({ path: statsPath, control, emperorUid }),
  ];
  const close = async (): Promise<void> => {
    await Promise.all(sockets.splice(0).map((socket) => socket.close()));
  };
  context.after(async () => {
    await close();
    assert.equal(existsSync(path), false);
    assert.equal(existsSync(statsPath), false);
    rmSync(folder, { recursive: true });
  });
  return { control, path, statsPath, close };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function ask(
  socketPath: string,
  method: string,
  path: string,
  options: { headers?: Record<string, string>; body?: string; signal?: AbortSignal } = {},
): Promise<Answer> {
  const { headers = {}, body, signal } = options;
  return new Promise((resolve, reject) => {
    const asked = request(
      { socketPath, method, path, headers, agent: false, signal },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, body: text });
        });
        response.on("error", reject);
      },
    );
    asked.on("error", reject);
    asked.end(body);
  });
}

/** Sends bytes and collects everything until the other end closes. */
function raw(path: string, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(path, () => socket.write(bytes));
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      resolve(text);
    });
  });
}

test("GET /status answers with the snapshot, or with the vassals that were named", async (context) => {
  const { path } = await open(context);
  const all = JSON.parse((await ask(path, "GET", "/status")).body) as EmperorSnapshot;
  assert.deepEqual(
    all.vassals.map(({ name }) => name),
    ["blog", "shop"],
  );
  const one = JSON.parse((await ask(path, "GET", "/status?name=shop")).body) as EmperorSnapshot;
  assert.deepEqual(
    one.vassals.map(({ name }) => name),
    ["shop"],
  );
  assert.equal((await ask(path, "HEAD", "/status")).body, "");
});

test("curl --unix-socket works", { skip: missing("curl") }, async (context) => {
  const { path } = await open(context);
  const text = await new Promise<string>((resolve) => {
    execFile("curl", ["-s", "--unix-socket", path, "http://tsgi/metrics"], (_error, stdout) => {
      resolve(stdout);
    });
  });
  assert.match(text, /^tsgi_vassal_up\{vassal="blog"\} 1$/m);
});

test("the sockets may be connected to by everybody", async (context) => {
  const { path, statsPath } = await open(context);
  assert.equal(statSync(path).mode & 0o777, 0o777 & statSync(path).mode);
  assert.equal(statSync(path).mode & 0o666, 0o666);
  assert.equal(statSync(statsPath).mode & 0o666, 0o666);
});

for (const verb of ["reload", "restart", "stop", "start", "pardon"]) {
  test(`POST /${verb} commands what was named, on whose behalf`, async (context) => {
    const { control, path } = await open(context);
    const answer = await ask(path, "POST", `/${verb}?name=*`);
    assert.equal(answer.status, 200);
    const uid = process.getuid?.() ?? 0;
    assert.deepEqual(control.asked, [`${verb} blog ${uid}`, `${verb} shop ${uid}`]);
    assert.equal((await ask(path, "GET", `/${verb}?name=*`)).status, 405);
    assert.equal((await ask(path, "POST", `/${verb}`)).status, 400);
    control.failing.add("shop");
    assert.equal((await ask(path, "POST", `/${verb}?name=*`)).status, 409);
  });
}

test("calls outside the table answer 404, whatever the names of objects' insides", async (context) => {
  const { control, path } = await open(context);
  const names = [
    "constructor",
    "__proto__",
    "toString",
    "hasOwnProperty",
    "snapshot",
    "select",
    "../status",
    "",
  ];
  for (const name of names) {
    for (const method of ["GET", "POST"]) {
      assert.equal((await ask(path, method, `/${name}`)).status, 404, `${method} ${name}`);
    }
    assert.equal((await ask(path, "POST", `/reload?name=${name || "nobody"}`)).status, 404, name);
  }
  assert.deepEqual(
    control.asked.filter((each) => each !== "rescan"),
    [],
  );
});

test("an unknown name is looked for once more before it is refused", async (context) => {
  const { control, path } = await open(context);
  const answer = await ask(path, "POST", "/reload?name=new");
  assert.equal(answer.status, 404);
  assert.match(answer.body, /TSGI_UNKNOWN_VASSAL/);
  assert.deepEqual(control.asked, ["rescan"]);
});

test("GET /wait tells live, failed and timed-out apart, and ends waits of callers who hang up", async (context) => {
  const { control, path } = await open(context);
  const outcome = async (query: string): Promise<unknown> =>
    (JSON.parse((await ask(path, "GET", `/wait?${query}`)).body) as { outcome: unknown }).outcome;
  assert.equal(await outcome("name=*"), "live");
  control.failing.add("shop");
  assert.equal(await outcome("name=*"), "failed");
  control.hanging.add("blog");
  assert.equal(await outcome("name=blog&timeout=20ms"), "timed-out");
  assert.equal(control.asked.at(-1), "aborted blog");
  assert.equal((await ask(path, "GET", "/wait?name=blog&timeout=soon")).status, 400);

  const hangUp = new AbortController();
  const waits = control.asked.length;
  const call = ask(path, "GET", "/wait?name=blog", { signal: hangUp.signal });
  await eventually("the wait began", () => control.asked.slice(waits).includes("wait blog"));
  hangUp.abort();
  await assert.rejects(call);
  await eventually("the wait ended", () => control.asked.at(-1) === "aborted blog");
});

test("GET /events sends recent lines, follows, and lets go of a reader that hangs up", async (context) => {
  const { control, path } = await open(context);
  for (let index = 1; index <= 3; index += 1) control.tell(`event ${index}`, "blog");
  const recent = (await ask(path, "GET", "/events?n=2")).body.trim().split("\n");
  assert.deepEqual(
    recent.map((line) => (JSON.parse(line) as { seq: number }).seq),
    [2, 3],
  );

  let text = "";
  const hangUp = new AbortController();
  const asked = request({
    socketPath: path,
    path: "/events?follow=1&n=1",
    agent: false,
    signal: hangUp.signal,
  });
  asked.on("error", () => undefined);
  asked.on("response", (response) => {
    response.on("data", (chunk: Buffer) => (text += chunk.toString()));
    response.on("error", () => undefined);
  });
  asked.end();
  await eventually("the recent event came", () => text.includes("event 3"));
  control.tell("event 4");
  await eventually("the new event came", () => text.includes("event 4"));
  assert.equal(control.listeners, 1);
  hangUp.abort();
  await eventually("nobody listens", () => control.listeners === 0);
});

test("a reader of /events that stalls costs a bounded buffer and then sees a gap", async (context) => {
  const { control, path } = await open(context);
  const socket = connect(path);
  socket.pause();
  socket.write("GET /events?follow=1&n=0 HTTP/1.1\r\nHost: x\r\n\r\n");
  await eventually("it listens", () => control.listeners === 1);
  const filler = "x".repeat(10_000);
  const before = process.memoryUsage().rss;
  for (let index = 0; index < 20_000; index += 1) control.tell(filler);
  assert.ok(process.memoryUsage().rss - before < 150e6);
  control.journal.length = 0;
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  socket.resume();
  await eventually("the gap is told", () => text.includes(`"kind":"gap"`));
  control.tell("afterwards");
  await eventually("it goes on", () => text.includes("afterwards"));
  socket.destroy();
});

test("POST /shutdown stops the fleet, saying who asked", async (context) => {
  const { control, path } = await open(context);
  assert.equal((await ask(path, "POST", "/shutdown")).status, 200);
  assert.match(
    control.asked.at(-1) ?? "",
    new RegExp(`shutdown asked for by uid \\d+, pid ${process.pid}`),
  );
});

test("browsers are refused: a request with an Origin has no effect", async (context) => {
  const { control, path } = await open(context);
  const headers = { Origin: "http://evil.example", "Content-Type": "text/plain" };
  assert.equal((await ask(path, "POST", "/stop?name=*", { headers })).status, 403);
  assert.deepEqual(control.asked, []);
});

test("garbage, huge heads and huge bodies are refused; pipelined calls are answered in order", async (context) => {
  const { control, path } = await open(context);
  assert.match(await raw(path, "\u0016\u0003\u0001garbage\r\n\r\n"), /^HTTP\/1\.1 400 /);
  assert.match(
    await raw(path, `GET / HTTP/1.1\r\nHost: x\r\nA: ${"x".repeat(200_000)}`),
    /^HTTP\/1\.1 431 /,
  );
  const declared = "POST /stop?name=* HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n";
  assert.match(await raw(path, declared), /^HTTP\/1\.1 413 /);
  const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
  const chunked = `POST /stop?name=* HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}`;
  assert.match(await raw(path, chunked), /^HTTP\/1\.1 413 /);
  assert.deepEqual(control.asked, []);
  const call = "GET /status?name=shop HTTP/1.1\r\nHost: x\r\n";
  const text = await raw(path, `${call}\r\n${call}\r\n${call}Connection: close\r\n\r\n`);
  assert.equal(text.match(/HTTP\/1\.1 200 /g)?.length, 3);
});

test("thousands of connections leave the socket answering once they are gone", async (context) => {
  const { path } = await open(context);
  const idle: Socket[] = [];
  for (let index = 0; index < 1000; index += 1) {
    const socket = connect(path);
    socket.on("error", () => undefined);
    idle.push(socket);
  }
  await eventually("most are refused", () => idle.filter((socket) => socket.closed).length > 500);
  for (const socket of idle) socket.destroy();
  await eventually("it answers", () => ask(path, "GET", "/status").catch(() => undefined));
});

const NOBODY = 65_534;
const asRoot =
  process.getuid?.() === 0 ? missing("curl", "setpriv") : "needs root: run the tests as root";

/** A call as another user. */
function askAs(uid: number, path: string, ...parameters: readonly string[]): Promise<string> {
  const argv = [
    `--reuid=${uid}`,
    `--regid=${uid}`,
    "--clear-groups",
    "curl",
    "-s",
    "-w",
    "%{http_code}",
  ];
  return new Promise((resolve) => {
    execFile("setpriv", [...argv, "--unix-socket", path, ...parameters], (_error, stdout) => {
      resolve(stdout);
    });
  });
}

test(
  "another user reads and commands only the vassals that run as them",
  { skip: asRoot },
  async (context) => {
    const { control, path, statsPath } = await open(context);
    control.owners.set("shop", NOBODY);
    control.tell("of blog", "blog");
    control.tell("of shop", "shop");
    control.tell("of the emperor");
    const status = await askAs(NOBODY, path, "http://tsgi/status");
    assert.ok(status.endsWith("200"));
    assert.match(status, /"name":"shop"/);
    assert.doesNotMatch(status, /"name":"blog"|secret/);
    const events = await askAs(NOBODY, path, "http://tsgi/events");
    assert.match(events, /of shop/);
    assert.doesNotMatch(events, /of blog|of the emperor/);
    assert.doesNotMatch(await askAs(NOBODY, path, "http://tsgi/metrics"), /blog/);

    assert.match(await askAs(NOBODY, path, "-XPOST", "http://tsgi/stop?name=shop"), /200$/);
    assert.match(await askAs(NOBODY, path, "-XPOST", "http://tsgi/stop?name=blog"), /404$/);
    assert.match(await askAs(NOBODY, path, "-XPOST", "http://tsgi/stop?name=*"), /200$/);
    assert.match(await askAs(NOBODY, path, "-XPOST", "http://tsgi/shutdown"), /403$/);
    assert.match(await askAs(NOBODY, path, "-XPOST", "http://tsgi/rescan"), /403$/);
    const commands = control.asked.filter((each) => each !== "rescan");
    assert.deepEqual(commands, [`stop shop ${NOBODY}`, `stop shop ${NOBODY}`]);
    const argv = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
    const stats = await new Promise<string>((resolve) => {
      execFile(
        "setpriv",
        [...argv, "curl", "-s", "--http0.9", "--unix-socket", statsPath, "http://x/"],
        (_error, stdout) => {
          resolve(stdout);
        },
      );
    });
    assert.match(stats, /shop\.yaml/);
    assert.doesNotMatch(stats, /blog/);
  },
);

test("stats.sock gives one document and the end of file", async (context) => {
  const { statsPath } = await open(context);
  const document = JSON.parse(await raw(statsPath, "")) as { vassals: unknown[] };
  assert.deepEqual(document.vassals, [{ id: "blog.yaml" }, { id: "shop.yaml" }]);
});

test("clients of stats.sock that never read are bounded, and stop nobody else for good", async (context) => {
  const { control, statsPath } = await open(context);
  control.vassals = Array.from({ length: 1000 }, () => ({
    ...control.vassals[0]!,
    name: "n".repeat(100),
  }));
  const stalled: Socket[] = [];
  for (let index = 0; index < 200; index += 1) {
    const socket = connect(statsPath);
    socket.pause();
    socket.on("error", () => undefined);
    stalled.push(socket);
  }
  // Those beyond the cap see the end at once, also when they begin to read.
  for (const socket of stalled.slice(100)) socket.resume();
  await eventually("those beyond the cap are refused", () =>
    stalled.slice(100).every((socket) => socket.closed),
  );
  assert.ok(stalled.slice(0, 64).every((socket) => !socket.closed));
  for (const socket of stalled) socket.destroy();
  const text = await eventually("it answers", async () => (await raw(statsPath, "")) || undefined);
  assert.equal((JSON.parse(text) as { vassals: unknown[] }).vassals.length, 1000);
});

test("a file in the place of the socket is refused, a socket left behind is replaced", async (context) => {
  const { control, path, close } = await open(context);
  await close();
  writeFileSync(path, "data");
  const options = {
    path,
    control,
    emperorUid: 0,
    log: SILENT_LOG,
    shutdown: () => Promise.resolve(),
  };
  await assert.rejects(openControlSocket(options), /a file that is not a socket is there/);
  rmSync(path);
  // Bound, and its owner gone without removing it.
  closeSync(listenAt({ kind: "unix", protocol: "http", path, text: path }).fd);
  assert.equal(existsSync(path), true);
  const socket = await openControlSocket(options);
  assert.equal((await ask(path, "GET", "/status")).status, 200);
  await socket.close();
  await assert.rejects(
    openControlSocket({ ...options, path: `/${"x".repeat(200)}` }),
    /at most 107/,
  );
});
