/** The front over real sockets: what goes in and out of one connection. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startFront } from "../kit/start-front.ts";
import type { FrontProcess } from "../kit/start-front.ts";

const HOST = "Host: a\r\n";
let front: FrontProcess;
before(async () => {
  front = await startFront();
});
after(async () => {
  await front[Symbol.asyncDispose]();
});

const get = (target: string, more = ""): string => `GET ${target} HTTP/1.1\r\n${HOST}${more}\r\n`;
const bodyOf = (response: string): string => response.slice(response.indexOf("\r\n\r\n") + 4);
const headOf = (response: string): string => response.slice(0, response.indexOf("\r\n\r\n") + 2);

test("Front answers with length, Date, Server and the keep-alive it keeps", async () => {
  const client = await front.connect();
  client.write(get("/hello"));
  const response = await client.until(/hello$/);
  assert.match(
    response,
    /^HTTP\/1\.1 200 OK\r\nContent-Type: text\/plain\r\nContent-Length: 5\r\n/,
  );
  assert.match(response, /\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/);
  assert.match(
    response,
    /\r\nServer: tsgi\r\nConnection: keep-alive\r\nKeep-Alive: timeout=30\r\n\r\n/,
  );
  client.write(get("/hello"));
  await client.until(/hello[^]*hello$/);
});

test("Front answers a client that half-closed after its request, then closes", async () => {
  const client = await front.connect();
  client.write(get("/hold"));
  client.end();
  await front.message("held");
  front.send({ type: "release" });
  assert.equal(bodyOf(await client.untilClosed()), "released");
});

test("Front still answers a half-closed client after it has seen that somebody is there", async () => {
  const client = await front.connect();
  client.write(get("/hold"));
  client.end();
  await front.message("held");
  await client.until(/^(?:HTTP\/1\.1 100 Continue\r\n\r\n){2}$/);
  front.send({ type: "release" });
  assert.match(
    await client.untilClosed(),
    /100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*released$/,
  );
});

test("Front answers pipelined requests in order, also those after a slow one", async () => {
  const client = await front.connect();
  client.write(get("/hold?1") + get("/hello") + get("/head?last"));
  assert.equal((await front.message("held"))["target"], "/hold?1");
  front.send({ type: "release" });
  const all = await client.until(/last/);
  assert.match(all, /^HTTP[^]*released[^]*hello[^]*\/head\?last/);
});

test("Front answers 10,000 pipelined requests in order with bounded memory", async () => {
  front.send({ type: "counters" });
  const before = Number((await front.message("counters"))["memory"]);
  const client = await front.connect();
  const count = 10_000;
  let raw = "";
  for (let index = 0; index < count; index += 1) raw += get(`/head?n=${index};`);
  client.write(raw);
  client.end();
  const numbers = [...(await client.untilClosed()).matchAll(/n=(\d+);/g)].map((match) =>
    Number(match[1]),
  );
  assert.deepEqual(
    numbers,
    Array.from({ length: count }, (_, index) => index),
  );
  front.send({ type: "counters" });
  const after = Number((await front.message("counters"))["memory"]);
  assert.ok(after - before < 64 * 1_048_576, `memory grew by ${after - before} bytes`);
});

test("Front stops reading while pipelined requests wait behind an unfinished one", async () => {
  const client = await front.connect();
  client.write(get("/hold"));
  await front.message("held");
  // More than the kernel's buffers and the front's bound together: the client must be made to wait.
  const flood = Buffer.from(get("/hello").repeat(600_000));
  client.write(flood);
  // After so many turns of its event loop, a front that went on reading would have it all.
  const other = await front.connect();
  for (let round = 0; round < 2000; round += 1) {
    other.received = "";
    other.write(get("/hello"));
    await other.until(/hello$/);
  }
  assert.ok(client.socket.writableLength > flood.length / 2);
  client.destroy();
  front.send({ type: "release" });
});

test("Front serves a new client while 100 others pipeline without end", async () => {
  const clients = await Promise.all(Array.from({ length: 100 }, () => front.connect()));
  for (const client of clients) client.write(get("/hello").repeat(2000));
  const late = await front.connect();
  late.write(get("/head?late"));
  await late.until(/late/);
  const unfinished = clients.filter(
    (client) => client.received.split("HTTP/1.1 200").length - 1 < 2000,
  );
  assert.ok(unfinished.length > 0, "the late client had to wait for all the others");
  for (const client of clients) client.destroy();
});

test("Front reads counted and chunked bodies cut into single bytes", async () => {
  const client = await front.connect();
  const counted = `POST /count HTTP/1.1\r\n${HOST}Content-Length: 11\r\n\r\nhello world`;
  const chunked = `POST /count HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nT: v\r\n\r\n`;
  for (const byte of Buffer.from(counted + chunked)) client.write(Buffer.from([byte]));
  const all = await client.until(/"trailers":\["T"/);
  assert.match(all, /\{"bytes":11,"trailers":\[\]\}[^]*\{"bytes":11,"trailers":\["T","v"\]\}/);
});

test("Front streams a large body in both directions with back-pressure", async () => {
  const client = await front.connect();
  const size = 8_388_608;
  client.write(`POST /echo HTTP/1.0\r\nContent-Length: ${size}\r\n\r\n`);
  client.write(Buffer.alloc(size, 122));
  const response = await client.untilClosed();
  assert.equal(bodyOf(response).length, size);
});

test("Front pauses a body while the sink is full and goes on when asked", async () => {
  const client = await front.connect();
  client.write(
    `POST /pause HTTP/1.1\r\n${HOST}Content-Length: 200000\r\n\r\n${"x".repeat(100_000)}`,
  );
  await front.message("paused");
  client.write("y".repeat(100_000));
  front.send({ type: "resume" });
  await client.until(/resumed/);
});

test("Front sends a whole body of 8 MiB given at once", async () => {
  const response = await front.talk(get("/whole"));
  assert.equal(bodyOf(response).length, 8_388_608);
});

test("Front says 100 Continue when the handler reads, and only to a client that waits", async () => {
  const client = await front.connect();
  client.write(`POST /count HTTP/1.1\r\n${HOST}Content-Length: 2\r\nExpect: 100-Continue\r\n\r\n`);
  await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
  client.write("ab");
  await client.until(/"bytes":2/);
  const ready = await front.talk(
    `POST /count HTTP/1.1\r\n${HOST}Content-Length: 2\r\nExpect: 100-continue\r\n\r\nab`,
  );
  assert.match(ready, /^HTTP\/1\.1 200/);
});

test("Front closes after an early answer to a client that waits for 100", async () => {
  const client = await front.connect();
  client.write(`POST /deny HTTP/1.1\r\n${HOST}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n`);
  const response = await client.untilClosed();
  assert.match(response, /^HTTP\/1\.1 403 Forbidden\r\n[^]*Connection: close\r\n/);
});

test("Front drops a small unread body and reads the next request behind it", async () => {
  const raw = `POST /deny HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`;
  assert.match(await front.talk(raw + get("/hello")), /403 Forbidden[^]*200 OK[^]*hello$/);
});

test("Front delivers an early answer although a large body is still coming, then closes", async () => {
  const client = await front.connect();
  client.write(`POST /deny HTTP/1.1\r\n${HOST}Content-Length: 10000000\r\n\r\n`);
  client.write(Buffer.alloc(500_000));
  const response = await client.untilClosed();
  assert.match(response, /^HTTP\/1\.1 403 Forbidden\r\n[^]*Connection: close\r\n[^]*no$/);
  assert.equal(client.error, undefined);
});

test("Front sends no body for HEAD, 204 and 304", async () => {
  const head = await front.talk(`HEAD /hello HTTP/1.1\r\n${HOST}\r\n`);
  assert.match(head, /Content-Length: 5\r\n/);
  assert.equal(bodyOf(head), "");
  for (const target of ["/no-content", "/not-modified"]) {
    const response = await front.talk(get(target));
    assert.doesNotMatch(response, /Content-Length|Transfer-Encoding/);
    assert.equal(bodyOf(response), "");
  }
});

test("Front frames by chunks for HTTP/1.1 and by closing for HTTP/1.0", async () => {
  const bytes = (text: string): string => Buffer.from(text).toString("latin1");
  const chunked = await front.talk(get("/chunks"));
  assert.match(headOf(chunked), /Transfer-Encoding: chunked\r\n/);
  assert.equal(bodyOf(chunked), bytes("5\r\nsm\u00f8r\r\n5\r\nbr\u00f8d\r\n0\r\n\r\n"));
  const old = await front.talk("GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  assert.match(headOf(old), /Connection: close\r\n/);
  assert.equal(bodyOf(old), bytes("sm\u00f8rbr\u00f8d"));
});

test("Front keeps an HTTP/1.0 connection only when asked", async () => {
  const client = await front.connect();
  client.write("GET /hello HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
  await client.until(/Connection: keep-alive\r\n[^]*hello/);
  client.write("GET /hello HTTP/1.0\r\n\r\n");
  assert.match(await client.untilClosed(), /Connection: close\r\n[^]*hello$/);
});

test("Front sends a head at once when no body comes with it", async () => {
  const client = await front.connect();
  client.write(get("/only-head"));
  await client.until(/X-Early: yes\r\n/);
  front.send({ type: "release" });
  await client.until(/released/);
});

test("Front sends informational responses to HTTP/1.1 only", async () => {
  const response = await front.talk(get("/hints"));
  assert.match(
    response,
    /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200/,
  );
  assert.match(await front.talk("GET /hints HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 200/);
});

test("Front ignores an upgrade and answers as HTTP", async () => {
  const response = await front.talk(get("/head", "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
  assert.match(response, /^HTTP\/1\.1 200[^]*"upgrade":"websocket"/);
});

for (const name of ["value", "lf", "nul", "name", "reason", "hints"]) {
  test(`Front answers 500 and sends nothing of a header injection: ${name}`, async () => {
    const response = await front.talk(get(`/inject-${name}`));
    assert.match(response, /^HTTP\/1\.1 500 Internal Server Error\r\n/);
    assert.doesNotMatch(response, /Set-Cookie|X: y|Z: a/);
    assert.match(String((await front.message("fault"))["message"]), /RangeError/);
  });
}

test("Front leaves out what an application says about the connection", async () => {
  const response = await front.talk(get("/hop-by-hop"));
  assert.doesNotMatch(response, /gzip|999|X-Secret/);
  assert.match(response, /A: b\r\nContent-Length: 2\r\n/);
  assert.match(await front.talk(get("/app-close")), /Connection: close\r\n/);
});

test("Front repeats neither Date, Server nor Content-Length of an application", async () => {
  const head = headOf(await front.talk(get("/own-date")));
  assert.match(head, /Date: then\r\nSERVER: mine\r\nContent-Length: 2\r\nConnection: keep-alive/);
  assert.equal(head.match(/date:|server:|content-length:/gi)?.length, 3);
});

test("Front answers 500 for a length or reason of a worker that cannot be sent", async () => {
  for (const target of ["/raw-length", "/raw-reason", "/raw-status"]) {
    const response = await front.talk(get(target) + get("/hello"));
    assert.match(response, /^HTTP\/1\.1 500 Internal Server Error\r\n[^]*hello$/);
    await front.message("fault");
  }
});

test("Front cuts a response that is shorter than its Content-Length", async () => {
  const before = await front.counters();
  const response = await front.talk(get("/short"));
  assert.doesNotMatch(response, /four[^]/);
  assert.match(String((await front.message("fault"))["message"]), /4 of 10 bytes/);
  assert.equal((await front.counters()).connectionsReset, before.connectionsReset + 1);
});

test("Front never sends more than the Content-Length", async () => {
  const response = await front.talk(get("/long") + get("/hello"));
  assert.match(response, /four(?=HTTP\/1\.1 200)[^]*hello$/);
  assert.match(String((await front.message("fault"))["message"]), /more than the 4 bytes/);
});

test("Front answers 500 for an exception, logs it, and reflects nothing", async () => {
  for (const [accept, type] of [
    ["text/html,*/*", "text/html"],
    ["application/json", "application/json"],
    ["*/*", "text/plain"],
  ]) {
    const response = await front.talk(
      get('/throw?"script"', `Accept: ${accept}\r\nX: <script>\r\n`),
    );
    assert.match(response, /^HTTP\/1\.1 500 /);
    assert.ok(response.includes(`Content-Type: ${type}`), response);
    assert.doesNotMatch(response, /script|broken/);
    assert.match(String((await front.message("fault"))["message"]), /the handler is broken/);
  }
  assert.match(
    await front.talk(`POST /throw-in-sink HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\nx`),
    / 500 /,
  );
  await front.message("fault");
});

test("Front cuts the connection when an answer fails after it began", async () => {
  for (const target of ["/throw-late", "/fail-late"]) {
    const response = await front.talk(get(target));
    assert.doesNotMatch(response, /\r\n0\r\n\r\n$/);
    await front.message("fault");
  }
});

test("Front answers failures of workers with the page of their status", async () => {
  const before = await front.counters();
  assert.match(
    await front.talk(get("/fail")),
    /^HTTP\/1\.1 502 Bad Gateway\r\n[^]*502 Bad Gateway\n$/,
  );
  assert.match(String((await front.message("fault"))["message"]), /no worker/);
  assert.equal((await front.counters()).requestsFailed, before.requestsFailed + 1);
});

test("Front tells the handler when a client resets or leaves, waiting or streaming", async () => {
  for (const target of ["/hold", "/stream"]) {
    const client = await front.connect();
    client.write(get(target));
    await front.message("held");
    client.reset();
    await front.message("aborted");
  }
  const gone = await front.connect();
  gone.write(get("/hold"));
  await front.message("held");
  gone.destroy();
  await front.message("aborted");
  const client = await front.connect();
  client.write(`POST /pause HTTP/1.1\r\n${HOST}Content-Length: 9\r\n\r\nabc`);
  await front.message("paused");
  client.reset();
  await front.message("body-aborted");
});

test("Front holds no connection after 10,000 clients that vanished", async () => {
  const { connectionsOpen } = await front.counters();
  for (let round = 0; round < 100; round += 1) {
    const clients = await Promise.all(Array.from({ length: 100 }, () => front.connect()));
    for (const [index, client] of clients.entries()) {
      client.write(index % 3 === 0 ? "GET /hel" : get("/hello"));
      if (index % 2 === 0) client.reset();
      else client.destroy();
    }
  }
  let counters = await front.counters();
  while (counters.connectionsOpen > connectionsOpen) counters = await front.counters();
});

for (const [what, raw, status] of [
  ["a bare LF", `GET / HTTP/1.1\n${HOST}\r\n`, 400],
  [
    "both lengths",
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
    400,
  ],
  ["a body over the limit", `POST /count HTTP/1.1\r\n${HOST}Content-Length: 16777217\r\n\r\n`, 413],
  [
    "a chunked body over the limit",
    `POST /count HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1000001\r\n`,
    413,
  ],
  ["a long target", `GET /${"a".repeat(9000)} HTTP/1.1\r\n${HOST}\r\n`, 414],
  ["an endless target", `GET /${"a".repeat(1_048_576)}`, 414],
  ["a large head", get("/", `X: ${"a".repeat(40_000)}\r\n`), 431],
  ["an endless head", `GET / HTTP/1.1\r\nX: ${"a".repeat(1_048_576)}`, 431],
  ["many headers", get("/", "A: b\r\n".repeat(101)), 431],
  ["another coding", `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip\r\n\r\n`, 501],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
  ["another expectation", get("/", "Expect: gold\r\n"), 417],
  ["a TLS greeting", "\x16\x03\x01\x02\x00\x01", 400],
  [
    "an endless chunk extension",
    `POST /count HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1;${"a".repeat(1_048_576)}`,
    413,
  ],
  [
    "a broken chunk",
    `POST /count HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`,
    400,
  ],
] as const) {
  test(`Front refuses ${what} with ${status}, closes, and reads nothing behind it`, async () => {
    const before = await front.counters();
    const client = await front.connect();
    client.write(raw + get("/hello"));
    const response = await client.untilClosed();
    assert.match(response, new RegExp(`^HTTP/1\\.1 ${status} [^]*Connection: close\\r\\n`));
    assert.equal(response.match(/HTTP\/1\.1 /g)?.length, 1);
    assert.equal((await front.counters()).requestsRefused, before.requestsRefused + 1);
  });
}

test("Front reads nothing after a bad chunk, even when the handler answers by itself", async () => {
  const client = await front.connect();
  client.write(
    `POST /fail-on-abort HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nxyz\r\n${get("/hello")}`,
  );
  const response = await client.untilClosed();
  assert.match(response, /^HTTP\/1\.1 503 [^]*Connection: close\r\n/);
  assert.equal(response.match(/HTTP\/1\.1 /g)?.length, 1);
  await front.message("fault");
});

test("Front lets an application think for long after a body that it paused and resumed late", async () => {
  const client = await front.connect();
  client.write(`POST /pause HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc`);
  await front.message("paused");
  front.send({ type: "resume" });
  await client.until(/resumed/);
});

test("Front is alive after all this", () => {
  assert.ok(front.isAlive);
});
