/** The exec container behind the real front: scripted programs that answer well, badly, late or not at all. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { VassalConfig } from "../../src/config/vassal-config.ts";
import { createExecRuntime } from "../../src/runtimes/exec/runtime.ts";
import { eventually } from "../kit/eventually.ts";
import { ask } from "../kit/http.ts";
import { APPS, ROOT } from "../kit/paths.ts";
import { family, isAlive, processFact } from "../kit/processes.ts";
import { missing } from "../kit/programs.ts";
import { Site } from "./exec-front.ts";

const RELEASE = join(APPS, "exec");
const FOLDER = mkdtempSync(join(tmpdir(), "tsgi-exec-"));
after(() => rmSync(FOLDER, { recursive: true }));

interface Difference {
  readonly socket?: "listen-fds" | "port";
  readonly config?: Partial<VassalConfig>;
  readonly env?: Readonly<Record<string, string>>;
}

function open(difference: Difference = {}): Promise<Site> {
  const app = { kind: "exec", argv: [process.execPath, "scripted.mjs"] } as const;
  return Site.open(createExecRuntime, { app, release: RELEASE, ...difference });
}

function run(argv: readonly string[], difference: Difference = {}): Promise<Site> {
  const app = { kind: "exec", argv } as const;
  return Site.open(createExecRuntime, { app, release: RELEASE, ...difference });
}

/** Sends bytes as they are; everything that comes back until the connection ends. */
function raw(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => (text += chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
    socket.write(request);
  });
}

function get(port: number, path: string, headers = ""): Promise<string> {
  return raw(
    port,
    `GET ${path} HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n${headers}\r\n`,
  );
}

for (const socket of ["listen-fds", "port"] as const) {
  test(`exec gives a ${socket} program its environment, directory and nothing of tsgi`, async () => {
    await using site = await open({ socket, env: { MINE: "$(x) 'y'" } });
    const env = JSON.parse((await ask({ port: site.port }, "/env")).body) as Record<
      string,
      unknown
    >;
    assert.equal(env["MINE"], "$(x) 'y'");
    assert.equal(env["HOST"], "127.0.0.1");
    assert.match(String(env["PORT"]), /^\d+$/);
    assert.equal(env["cwd"], RELEASE);
    assert.equal(env["TMPDIR"], undefined);
    const isListen = socket === "listen-fds";
    assert.equal(env["LISTEN_FDS"], isListen ? "1" : undefined);
    assert.equal(env["LISTEN_FDNAMES"], isListen ? "http" : undefined);
    assert.equal(env["LISTEN_PID"], isListen ? String(env["pid"]) : undefined);
    assert.equal(site.runtime.workers()[0]?.pid, env["pid"]);
  });
}

test("exec passes Host and end-to-end headers on, replaces forwarding headers, drops hop-by-hop ones", async () => {
  await using site = await open();
  const sent =
    "X-Forwarded-For: 10.0.0.1\r\nConnection: X-Secret\r\nX-Secret: 1\r\nTE: trailers\r\nCookie: a=b\r\n";
  const answer = await get(site.port, "/head?a=%2F&b[]=1", sent);
  assert.equal(
    answer.slice(answer.indexOf("\r\n\r\n") + 4),
    "GET /head?a=%2F&b[]=1 HTTP/1.1\r\nHost: example.org\r\nCookie: a=b\r\n" +
      "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: example.org",
  );
});

/** Path, and the whole response behind "HTTP/1.1 " without Date. */
const PLAIN: readonly (readonly [path: string, response: RegExp])[] = [
  [
    "/close-delimited",
    /^200 OK\r\nContent-Type: text\/plain\r\nTransfer-Encoding: chunked\r\n[^]*\r\n\r\nd\r\nuntil the end\r\n0\r\n\r\n$/,
  ],
  [
    "/chunked",
    /^200 OK\r\nTransfer-Encoding: chunked\r\n[^]*\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n$/,
  ],
  ["/hints", /^103 Early Hints\r\nLink: <\/a.css>\r\n\r\nHTTP\/1.1 200 OK\r\n[^]*\r\n\r\nok$/],
  [
    "/hop",
    /^200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n(?![^]*X-Hop)[^]*\r\n\r\nok$/,
  ],
  ["/204", /^204 No Content\r\n(?![^]*Content-Length)[^]*\r\n\r\n$/],
  ["/304", /^304 Not Modified\r\nETag: "1"\r\nContent-Length: 5\r\n[^]*\r\n\r\n$/],
  ["/twice", /^200 OK\r\nContent-Length: 3\r\n[^]*\r\n\r\none$/],
  ["/both-lengths", /^502 Bad Gateway\r\n/],
  ["/bad-chunk", /^502 Bad Gateway\r\n/],
  ["/not-http", /^502 Bad Gateway\r\n/],
  ["/dies-before", /^502 Bad Gateway\r\n/],
  ["/upgrade", /^502 Bad Gateway\r\n/],
];

for (const [path, response] of PLAIN) {
  test(`exec answers ${path} of the scripted program with ${String(response).slice(2, 20)}`, async () => {
    await using site = await open();
    const answer = await get(site.port, path);
    assert.match(answer.replace(/^HTTP\/1\.1 (?:102[^]*?\r\n\r\nHTTP\/1\.1 )?/, ""), response);
    // Whatever it was, the next request is answered, and by its own answer.
    assert.equal((await ask({ port: site.port }, "/")).body, "hello");
  });
}

for (const path of ["/dies-inside", "/dies-in-chunk"]) {
  test(`exec cuts the response when the program breaks off: ${path}`, async () => {
    await using site = await open();
    const answer = await get(site.port, path).catch(() => "reset");
    assert.ok(!answer.endsWith("0\r\n\r\n"), answer);
    await assert.rejects(ask({ port: site.port }, path));
    assert.equal((await ask({ port: site.port }, "/")).body, "hello");
  });
}

test("exec answers HEAD with the length of the program and no body", async () => {
  await using site = await open();
  const answer = await raw(site.port, "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  assert.match(answer, /^HTTP\/1\.1 404 Not Found\r\nContent-Length: 9\r\n[^]*\r\n\r\n$/);
});

test("exec uses connections to the program again", async () => {
  await using site = await open();
  for (let count = 0; count < 20; count += 1) await ask({ port: site.port }, "/");
  // One for the readiness probe, one for all requests.
  assert.equal((await ask({ port: site.port }, "/connections")).body, "2");
});

test("exec repeats an idempotent request when the program closes a connection that was used before", async () => {
  await using site = await open();
  for (let count = 0; count < 5; count += 1) {
    assert.equal((await ask({ port: site.port }, "/only-first")).body, "first");
  }
  // The same without knowing that it may be done twice.
  assert.equal((await ask({ port: site.port }, "/only-first", { method: "POST" })).status, 502);
});

test("exec streams 10 MiB to a client unchanged", async () => {
  await using site = await open();
  const answer = await ask({ port: site.port }, "/big");
  assert.equal(answer.body.length, 10 * 1024 * 1024);
  assert.ok(answer.body === "0123456789abcdef".repeat(655_360));
});

test("exec holds few bytes for a client that does not read, and tells the program when it goes", async () => {
  await using site = await open();
  const before = process.memoryUsage();
  const socket = await stalled(site.port, "/endless");
  const { arrayBuffers, rss } = process.memoryUsage();
  assert.ok(arrayBuffers - before.arrayBuffers < 16 * 1024 * 1024, `${arrayBuffers} bytes`);
  assert.ok(rss - before.rss < 128 * 1024 * 1024, `${rss} bytes`);
  socket.destroy();
  await eventually("the program saw it", () => site.lines.includes("w1 out| endless was closed"));
  await eventually("nothing is under way", () => site.runtime.workers()[0]?.state === "idle");
});

test("exec passes an early answer on without waiting for the body (F8)", async () => {
  await using site = await open();
  const head = "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n";
  const answer = await raw(site.port, head);
  assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n[^]*\r\n\r\nno$/);
  assert.equal((await ask({ port: site.port }, "/")).body, "hello");
});

test("exec answers Expect itself and the program sees the body", async () => {
  await using site = await open();
  const socket = connect(site.port, "127.0.0.1");
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  socket.write(
    "POST /head HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
  );
  await eventually("100 Continue", () => text.includes("HTTP/1.1 100 Continue\r\n\r\n"));
  socket.write("ok");
  await eventually("the answer", () => /200 OK[^]*POST \/head[^]*Content-Length: 2/.test(text));
  assert.doesNotMatch(text, /Expect/);
  socket.destroy();
});

test("exec answers 504 to the late request alone and replaces its worker", async () => {
  await using site = await open({ config: { deadlineMs: 1500, drainTimeoutMs: 10_000 } });
  const first = site.runtime.workers()[0]?.pid;
  const late = ask({ port: site.port }, "/never");
  await eventually("it is under way", () => site.lines.includes("w1 out| never answers"));
  const beside = ask({ port: site.port }, "/slow/1000");
  assert.equal((await late).status, 504);
  assert.equal((await beside).body, "slow");
  await eventually("another worker serves", () => {
    const workers = site.runtime.workers();
    return workers.length === 1 && workers[0]?.pid !== first && workers[0]?.state === "idle";
  });
  const event = site.events.find(({ kind }) => kind === "deadline");
  assert.match(
    event?.message ?? "",
    /worker 1 \(pid \d+\): deadline of 1500 ms passed: GET \/never/,
  );
  assert.equal(event?.pid, first);
  assert.ok(site.lines.includes("w1 out| SIGTERM came"), "it was idle before it was ended");
});

test("exec counts no time of a slow client against the deadline", async () => {
  await using site = await open({ config: { deadlineMs: 500 } });
  const socket = connect(site.port, "127.0.0.1");
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  socket.write("POST /head HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1");
  // Another request that does run into the deadline tells that more than its time has passed.
  assert.equal((await ask({ port: site.port }, "/never")).status, 504);
  socket.write("2");
  await eventually("the answer", () => text.startsWith("HTTP/1.1 200 OK"));
  socket.destroy();
});

test("exec answers one 502 when the worker dies, and serves on with another", async () => {
  await using site = await open();
  assert.equal((await ask({ port: site.port }, "/exits-before", { method: "POST" })).status, 502);
  assert.equal((await ask({ port: site.port }, "/")).body, "hello");
  assert.equal(site.runtime.workers()[0]?.respawns, 1);
});

test("exec recycles workers under load without losing a request", async () => {
  const config = { workers: { min: 2, max: 2 }, maxRequests: 40 };
  await using site = await open({ config });
  const statuses = new Map<number, number>();
  const client = async (): Promise<void> => {
    for (let count = 0; count < 100; count += 1) {
      const { status } = await ask({ port: site.port }, count % 10 === 0 ? "/slow/20" : "/", {
        method: "POST",
      });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all([client(), client(), client(), client()]);
  assert.deepEqual([...statuses], [[200, 400]]);
  assert.ok(site.events.some(({ kind }) => kind === "worker-recycled"));
});

test("exec lets a retiring worker finish what it has begun", async () => {
  await using site = await open({ config: { maxRequests: 2 } });
  const slow = ask({ port: site.port }, "/slow/1500", { method: "POST" });
  await eventually("it is under way", () => site.runtime.workers()[0]?.state === "busy");
  await ask({ port: site.port }, "/");
  await eventually("it is replaced", () =>
    site.events.some((each) => each.kind === "worker-recycled"),
  );
  assert.equal((await slow).body, "slow");
});

test("exec spreads requests over its workers by what they have to do", async () => {
  await using site = await open({ config: { workers: { min: 3, max: 3 } } });
  const busy = [ask({ port: site.port }, "/slow/300"), ask({ port: site.port }, "/slow/300")];
  await eventually("two are busy", () => {
    return site.runtime.workers().filter(({ state }) => state === "busy").length === 2;
  });
  const idle = site.runtime.workers().find(({ state }) => state === "idle")?.pid;
  const pids = new Set<string>();
  for (let count = 0; count < 4; count += 1)
    pids.add((await ask({ port: site.port }, "/pid")).body);
  assert.deepEqual([...pids], [String(idle)]);
  await Promise.all(busy);
});

test("exec ends a program that ignores SIGTERM, with all its children", async () => {
  const site = await open({ env: { IGNORE_TERM: "1", HAS_CHILD: "1" } });
  const members = family(site.runtime.workers()[0]?.pid ?? 0);
  assert.equal(members.filter(isAlive).length, 2);
  await site.stop();
  assert.ok(!members.some(isAlive));
  assert.ok(site.lines.includes("w1 out| SIGTERM is ignored"));
});

test("exec leaves no process behind when it stops", async () => {
  const site = await open({ config: { workers: { min: 2, max: 2 } } });
  const pids = site.runtime.workers().map(({ pid }) => pid);
  await site.stop();
  assert.deepEqual(site.runtime.workers(), []);
  assert.deepEqual(
    pids.map((pid) => processFact(pid)),
    [undefined, undefined],
  );
});

test(
  "exec's programs end when the vassal process is killed",
  { skip: missing("setpriv") },
  async () => {
    const script = `
    import { createExecRuntime } from "${ROOT}src/runtimes/exec/runtime.ts";
    import { Site } from "${ROOT}test/integration/exec-front.ts";
    const app = { kind: "exec", argv: [process.execPath, "scripted.mjs"] };
    const site = await Site.open(createExecRuntime, { app, release: ${JSON.stringify(RELEASE)} });
    console.log(site.runtime.workers()[0].pid);`;
    const vassal = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const pid = await new Promise<number>((resolve) => {
      vassal.stdout.once("data", (chunk: Buffer) => resolve(Number(chunk.toString())));
    });
    assert.ok(processFact(pid) !== undefined);
    vassal.kill("SIGKILL");
    await eventually("the program is gone", () => {
      const fact = processFact(pid);
      return fact === undefined || fact.state === "Z";
    });
  },
);

test("exec holds few bytes of a body that the program does not read", async () => {
  await using site = await open();
  const before = process.memoryUsage().rss;
  const socket = connect(site.port, "127.0.0.1");
  socket.write("POST /stalls HTTP/1.1\r\nHost: a\r\nContent-Length: 60000000\r\n\r\n");
  socket.write(Buffer.alloc(60_000_000));
  await eventually("the program stopped reading", () =>
    site.lines.includes("w1 out| reads no more"),
  );
  await eventually("the client is held up", async () => {
    const left = socket.writableLength;
    await new Promise((resolve) => setImmediate(resolve));
    return left > 0 && left === socket.writableLength && isStill(socket);
  });
  assert.ok(socket.writableLength > 30_000_000, `${socket.writableLength} bytes were not taken`);
  assert.ok(process.memoryUsage().rss - before < 60_000_000 + 64 * 1024 * 1024);
  socket.destroy();
  assert.equal((await ask({ port: site.port }, "/")).body, "hello");
});

const UNUSABLE: readonly (readonly [title: string, argv: readonly string[], message: RegExp])[] = [
  [
    "a name that is nowhere",
    ["no-such-program"],
    /Cannot run "no-such-program": there is no such program in .*write its whole path in 'exec'/,
  ],
  [
    "a path that is not there",
    ["./missing"],
    /Cannot run ".*\/missing": ENOENT.*build or install it/,
  ],
  ["a file that is not executable", ["./simple.py"], /Cannot run ".*simple.py": .*chmod \+x/],
  ["a directory", [FOLDER], /Cannot run ".*": it is not a regular file/],
  [
    "one that exits at once",
    ["sh", "-c", "echo goodbye >&2; exit 7"],
    /Cannot start worker 1: it died with exit code 7 before it was ready[^]*w1 err\| goodbye/,
  ],
];

for (const [title, argv, message] of UNUSABLE) {
  test(`exec says what is wrong with ${title}`, async () => {
    const error = await run(argv).then(
      () => assert.fail("it started"),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof Error && error.name === "StartFailure");
    assert.match(error.message, message);
  });
}

test("exec gives up on a program that is never ready, and says why", async () => {
  const config = { readyTimeoutMs: 300 };
  await assert.rejects(
    run(["sleep", "1000"], { socket: "port", config }),
    /Cannot start worker 1: it died by SIGKILL before it was ready[^]*the program was not ready: connect ECONNREFUSED/,
  );
});

test("exec waits for the health path of each worker", async () => {
  const config = { health: "/204" };
  await using site = await open({ config });
  assert.equal(site.runtime.answered, 0);
  await assert.rejects(
    open({ config: { health: "/early", readyTimeoutMs: 1000 } }),
    /\/early answered 403/,
  );
});

test("exec runs a script by its interpreter line, found in the release", async () => {
  const script = join(FOLDER, "serve");
  writeFileSync(script, `#!/bin/sh\nexec "${process.execPath}" "${RELEASE}/scripted.mjs"\n`);
  chmodSync(script, 0o755);
  const app = { kind: "exec", argv: ["serve"] } as const;
  await using site = await Site.open(createExecRuntime, { app, release: FOLDER });
  assert.equal((await ask({ port: site.port }, "/")).body, "hello");
});

const lastWritten = new WeakMap<Socket, readonly [bytes: number, looks: number]>();

/** True once the kernel has taken nothing more of the socket in 20 looks. */
function isStill(socket: Socket): boolean {
  const [bytes, looks] = lastWritten.get(socket) ?? [-1, 0];
  const now = socket.bytesWritten - socket.writableLength;
  lastWritten.set(socket, [now, bytes === now ? looks + 1 : 0]);
  return looks >= 20;
}

/** A client that has asked for `target`, has read a little, and reads no more; resolves once nothing moves. */
async function stalled(port: number, target: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await new Promise((resolve) => socket.once("data", resolve));
  socket.pause();
  return socket;
}
