/** The front over time: deadlines, drain, the connection cap, slow clients, the request log. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { startFront } from "../kit/start-front.ts";
import type { FrontProcess } from "../kit/start-front.ts";
import type { RawClient } from "../kit/raw-client.ts";
import { missingCases, naughtyStrings, packedInputs } from "../kit/shared-cases.ts";

const HOST = "Host: a\r\n";
const get = (target: string, more = ""): string => `GET ${target} HTTP/1.1\r\n${HOST}${more}\r\n`;

async function eventually(front: FrontProcess, open: number): Promise<void> {
  while ((await front.counters()).connectionsOpen !== open) await Promise.resolve();
}

test("Front answers 408 to a head that trickles, however often a byte comes", async () => {
  await using front = await startFront({ headTimeoutMs: 300 });
  const client = await front.connect();
  client.write("GET / HTTP/1.1\r\n");
  const trickle = setInterval(() => client.write("X: y\r\n"), 50);
  const response = await client.untilClosed();
  clearInterval(trickle);
  assert.match(response, /^HTTP\/1\.1 408 Request Timeout\r\n[^]*Connection: close/);
});

test("Front closes a connection that never says anything", async () => {
  await using front = await startFront({ headTimeoutMs: 200 });
  const client = await front.connect();
  assert.equal(await client.untilClosed(), "");
});

test("Front answers 408 to a silent body and tells the sink", async () => {
  await using front = await startFront({ bodyTimeoutMs: 200 });
  const client = await front.connect();
  client.write(`POST /count HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\nabc`);
  assert.match(await client.untilClosed(), /^HTTP\/1\.1 408 /);
  assert.match(String((await front.message("body-aborted"))["reason"]), /body-timeout/);
});

test("Front closes after a silent body also when the handler answers by itself", async () => {
  await using front = await startFront({ bodyTimeoutMs: 200 });
  const client = await front.connect();
  client.write(`POST /fail-on-abort HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\nabc`);
  assert.match(await client.untilClosed(), /^HTTP\/1\.1 503 [^]*Connection: close\r\n/);
});

test("Front lets an application take longer than every deadline", async () => {
  await using front = await startFront({
    headTimeoutMs: 100,
    bodyTimeoutMs: 100,
    sendTimeoutMs: 100,
    keepAliveMs: 100,
  });
  const other = await front.connect();
  const client = await front.connect();
  client.write(get("/hold"));
  await front.message("held");
  // The other connection's end shows that the deadlines have passed.
  other.write(get("/hello"));
  await other.untilClosed();
  front.send({ type: "release" });
  await client.until(/released/);
});

test("Front closes an idle connection after the keep-alive time, not before", async () => {
  await using front = await startFront({ keepAliveMs: 1000 });
  const client = await front.connect();
  client.write(get("/hello"));
  await client.until(/Keep-Alive: timeout=1\r\n/);
  const answeredAt = performance.now();
  await client.untilClosed();
  assert.ok(performance.now() - answeredAt >= 1000);
});

test("Front cuts a client that takes nothing, within bounded memory", async () => {
  await using front = await startFront({ sendTimeoutMs: 300 });
  const client = await front.connect();
  client.socket.pause();
  client.write(get("/flood"));
  const { pieces } = await front.message("filled");
  assert.ok(
    Number(pieces) <= 8,
    `${String(pieces)} pieces of 64 KiB were taken from the application at once`,
  );
  await front.message("aborted");
  assert.equal((await front.counters()).connectionsReset, 1);
});

test("Front drain: released at once, answers what runs with Connection: close, resolves at zero", async () => {
  await using front = await startFront({ keepAliveMs: 1000 });
  const [busy, idle] = await Promise.all([front.connect(), front.connect()]);
  busy.write(get("/hold"));
  idle.write(get("/hello"));
  await Promise.all([front.message("held"), idle.until(/hello$/)]);
  front.send({ type: "drain", timeoutMs: 20_000 });
  await front.message("released");
  await assert.rejects(front.connect(), /ECONNREFUSED/);
  // An idle connection is still answered, for the last time.
  idle.write(get("/hello"));
  assert.match(await idle.untilClosed(), /keep-alive[^]*Connection: close\r\n/);
  front.send({ type: "release" });
  assert.match(await busy.untilClosed(), /Connection: close\r\n[^]*released$/);
  const { counters } = await front.message("drained");
  assert.deepEqual(counters, {
    ...(await front.counters()),
    connectionsOpen: 0,
    connectionsReset: 0,
  });
});

test("Front drain keeps idle connections as long as promised and ends them by FIN", async () => {
  await using front = await startFront({ keepAliveMs: 1000 });
  const client = await front.connect();
  client.write(get("/hello"));
  await client.until(/hello$/);
  const answeredAt = performance.now();
  front.send({ type: "drain", timeoutMs: 20_000 });
  await client.untilClosed();
  assert.ok(performance.now() - answeredAt >= 1000);
  assert.equal(client.error, undefined);
  await front.message("drained");
});

test("Front drain cuts what is left at its hard limit", async () => {
  await using front = await startFront();
  const client = await front.connect();
  client.write(get("/stream"));
  await front.message("held");
  front.send({ type: "drain", timeoutMs: 100 });
  await front.message("drained");
  await client.untilClosed();
  await front.message("aborted");
});

test("Front stops accepting at its cap without spinning, and goes on when there is room", async () => {
  await using front = await startFront({ maxConnections: 16 });
  const clients = await Promise.all(Array.from({ length: 40 }, () => front.connect()));
  for (const client of clients) client.write(get("/hello"));
  const served = (): RawClient[] => clients.filter((client) => client.received.includes("hello"));
  await eventually(front, 16);
  await Promise.all(clients.slice(0, 16).map((client) => client.until(/hello$/)));
  front.send({ type: "cpu" });
  const first = (await front.message("cpu"))["usage"] as { user: number; system: number };
  const [another] = served();
  for (let round = 0; round < 50; round += 1) {
    another?.write(get(`/head?round${round};`));
    await another?.until(new RegExp(`round${round};`));
  }
  assert.equal(served().length, 16);
  front.send({ type: "cpu" });
  const second = (await front.message("cpu"))["usage"] as { user: number; system: number };
  assert.ok(second.user + second.system - first.user - first.system < 2_000_000);
  while (served().length < 40) {
    for (const client of served()) client.destroy();
    await Promise.race(
      clients
        .filter((client) => !client.received.includes("hello"))
        .map((client) => client.until(/hello$/)),
    );
  }
  assert.equal((await front.counters()).connectionsAccepted, 40);
});

const prlimit = spawnSync("prlimit", ["--version"]).error === undefined;
test(
  "Front keeps under the descriptor limit and serves 200 clients in turn",
  { skip: prlimit ? false : "prlimit is missing: apt install util-linux" },
  async () => {
    await using front = await startFront({ wrapper: ["prlimit", "--nofile=64:64"] });
    const clients = await Promise.all(Array.from({ length: 200 }, () => front.connect()));
    for (const client of clients) client.write(get("/hello", "Connection: close\r\n"));
    const answers = await Promise.all(clients.map((client) => client.untilClosed()));
    assert.equal(answers.filter((answer) => answer.endsWith("hello")).length, 200);
  },
);

test("Front is quiet when idle", async () => {
  await using front = await startFront();
  const client = await front.connect();
  client.write(get("/hello", "Connection: close\r\n"));
  await client.untilClosed();
  await eventually(front, 0);
  front.send({ type: "timers" });
  assert.deepEqual((await front.message("timers"))["active"], 0);
});

test("Front logs one request as one line of valid JSON, whatever is in it", async () => {
  await using front = await startFront({ requestLog: "json" });
  const nasty = 'a"b\\c\x85\x9b31m\xff\xe2\x80\xa8 \xe2\x80\xae d';
  await front.talk(get("/hello?q=%0d%0a", `User-Agent: ${nasty}\r\nReferer: \tx\r\n`));
  const line = String((await front.message("log"))["line"]);
  assert.doesNotMatch(line, /[^\x20-\x7e\u00a0-\u2027\u202f-\ufffd]/);
  const entry = JSON.parse(line) as Record<string, unknown>;
  assert.equal(entry["target"], "/hello?q=%0d%0a");
  assert.equal(entry["status"], 200);
  assert.equal(entry["bodyBytes"], 5);
  await front.talk("GET /\x1b[31m HTTP/1.1\r\n\r\n");
  const refused = JSON.parse(String((await front.message("log"))["line"])) as Record<
    string,
    unknown
  >;
  assert.equal(refused["status"], 400);
});

test(
  "Front logs each naughty string in a header as one line, or refuses it",
  { skip: missingCases("naughty-strings") },
  async () => {
    await using front = await startFront({ requestLog: "combined" });
    const strings = naughtyStrings();
    assert.ok(strings.length > 500);
    for (const text of strings) {
      await front.talk(get("/hello", `User-Agent: ${Buffer.from(text).toString("latin1")}\r\n`));
      assert.match(String((await front.message("log"))["line"]), /^[ -~]+$/);
    }
  },
);

test(
  "Front survives h2o's fuzz corpus and serves after every 50 inputs",
  { skip: missingCases("h2o-fuzz-corpus") },
  async () => {
    await using front = await startFront();
    for (const [index, input] of packedInputs("h2o-fuzz-corpus/http1.b64.gz").entries()) {
      await front.talk(input);
      if (index % 50 === 0) assert.match(await front.talk(get("/hello")), /200 OK/);
    }
    await eventually(front, 0);
    assert.ok(front.isAlive);
  },
);
