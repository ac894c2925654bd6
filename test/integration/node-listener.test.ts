/** (req, res) applications in real workers: plain listeners, servers, Express, Fastify, programs that listen. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { eventually } from "../kit/eventually.ts";
import { ask } from "../kit/http.ts";
import { startNode, type NodeFixture } from "../kit/node-runtime.ts";
import { APPS } from "../kit/paths.ts";

const RELEASE = `${APPS}node`;
let app: NodeFixture;

before(async () => {
  app = await startNode(RELEASE, "listener.cjs");
});

after(async () => {
  await app[Symbol.asyncDispose]();
});

const at = (path: string, options: Parameters<typeof ask>[2] = {}): ReturnType<typeof ask> =>
  ask({ port: app.port }, path, options);

test("listener gets a real request with everything Node's has", async () => {
  const answer = await at("/facts?x=1", { headers: { "X-One": "a" } });
  const facts = JSON.parse(answer.body) as Record<string, unknown>;
  assert.deepEqual(
    [facts["method"], facts["url"], facts["httpVersion"], facts["address"], facts["same"]],
    ["GET", "/facts?x=1", "1.1", "127.0.0.1", true],
  );
  assert.equal((facts["headers"] as Record<string, string>)["x-one"], "a");
  assert.equal(facts["complete"], true);
});

test("listener pipes a request body into its response", async () => {
  const body = Buffer.alloc(3_000_000, "abc");
  const answer = await at("/echo", { method: "POST", body });
  assert.equal(answer.body.length, body.length);
  const chunked = await at("/echo", {
    method: "POST",
    body: "small",
    headers: { "Transfer-Encoding": "chunked" },
  });
  assert.equal(chunked.body, "small");
});

test("writeHead takes header objects, flat lists and repeated values", async () => {
  assert.equal((await at("/flat")).headers["x-a"], "1, 2");
  assert.deepEqual((await at("/nested")).headers["set-cookie"], ["a=1", "b=2"]);
});

test("flushHeaders sends the head before the body", async () => {
  const answer = await at("/flush");
  assert.deepEqual([answer.body, answer.headers["transfer-encoding"]], ["flushed", "chunked"]);
});

test("writeEarlyHints sends 103 before the response", async () => {
  const links: unknown[] = [];
  const body = await new Promise<string>((resolve, reject) => {
    const call = request({ port: app.port, path: "/hints", agent: false }, (answer) => {
      answer.setEncoding("utf8");
      answer.on("data", resolve);
    });
    call.on("information", (info) => links.push(info.statusCode, info.headers["link"]));
    call.on("error", reject);
    call.end();
  });
  assert.equal(body, "hinted");
  assert.deepEqual(links, [103, "</style.css>; rel=preload"]);
});

test("HEAD has the length of GET and no body; encodings are respected", async () => {
  const head = await at("/head", { method: "HEAD" });
  assert.deepEqual([head.headers["content-length"], head.body], ["5", ""]);
  const latin1 = await new Promise<Buffer>((resolve) => {
    request({ port: app.port, path: "/latin1", agent: false }, (answer) =>
      answer.on("data", resolve),
    ).end();
  });
  assert.deepEqual([...latin1], [0xe9]);
});

test("events come in Node's order", async () => {
  await at("/events");
  assert.match(
    await app.line(/events /),
    /events res prefinish,res finish,(?:req end,)?res close,(?:req end,)?req close$/,
  );
});

test("a client that leaves aborts the request and closes the response unfinished", async () => {
  const client = connect(app.port, "127.0.0.1");
  client.write("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  await app.line(/out\| waiting/);
  client.destroy();
  await app.line(/req aborted/);
  await app.line(/req error ECONNRESET/);
  await app.line(/res closed false true/);
  await app.line(/req closed/);
});

test("a client that leaves inside its upload errors the request", async () => {
  const client = connect(app.port, "127.0.0.1");
  client.write("POST /upload-wait HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nsome");
  await app.line(/out\| data/);
  const before = app.lines.length;
  client.resetAndDestroy();
  await eventually("the error", () =>
    app.lines.slice(before).some((line) => line.includes("req error ECONNRESET")),
  );
});

test("res.setTimeout tells a listener that nothing was written in time", async () => {
  const answer = await at("/timeout");
  assert.deepEqual([answer.status, answer.body], [503, "too slow"]);
});

test("write() says false to a slow client and 'drain' follows", async () => {
  const client = connect(app.port, "127.0.0.1");
  client.write("GET /flood HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  client.pause();
  await app.line(/stalled at/);
  let bytes = 0;
  client.on("data", (chunk) => {
    bytes += chunk.length;
  });
  await new Promise((resolve) => {
    client.on("close", resolve);
    client.resume();
  });
  assert.ok(bytes > 320 * 65_536, `only ${bytes} bytes came`);
});

test("writing after the end is an error of the application, not of the client", async () => {
  assert.equal((await at("/after-end")).body, "done");
  await app.line(/res error ERR_STREAM_WRITE_AFTER_END/);
});

test("an answer before the body has been read keeps the connection usable", async () => {
  const answer = await at("/early", { method: "POST", body: Buffer.alloc(100_000) });
  assert.equal(answer.body, "no need for the body");
});

test("a listener that throws or rejects costs one 500; its worker lives on", async () => {
  const { body: pid } = await at("/pid");
  assert.equal((await at("/throw")).status, 500);
  assert.equal((await at("/reject")).status, 500);
  await app.line(/err\|.*listener boom/);
  await app.line(/err\|.*listener rejection/);
  assert.equal((await at("/pid")).body, pid);
});

test("res.destroy() cuts the connection", async () => {
  await assert.rejects(at("/destroy"));
});

test("Expect: 100-continue is answered when the body is read", async () => {
  assert.equal(await upload(app.port, "/echo", {}), "100 continue, 200 body");
});

test("an exported http.Server gets 'request' and 'checkContinue'", async () => {
  await using server = await startNode(RELEASE, "server.mjs");
  assert.equal((await ask({ port: server.port }, "/x")).body, "server /x");
  assert.equal(await upload(server.port, "/", {}), "100 continue, 200 body");
  assert.equal(await upload(server.port, "/", { "X-Refuse": "1" }), "417 refused");
});

test("Express runs: routing, body parser, cookies, files, streams, errors", async () => {
  await using express = await startNode(RELEASE, "express.mjs");
  const { port } = express;
  assert.equal((await ask({ port }, "/")).body, "express hello");
  const json = await ask({ port }, "/json", {
    method: "POST",
    body: '{"a":1}',
    headers: { "Content-Type": "application/json" },
  });
  assert.equal(json.body, '{"got":{"a":1}}');
  const bad = await ask({ port }, "/json", {
    method: "POST",
    body: "{",
    headers: { "Content-Type": "application/json" },
  });
  assert.equal(bad.status, 400);
  const cookies = await ask({ port }, "/cookies");
  assert.deepEqual(cookies.headers["set-cookie"], ["a=1; Path=/", "b=2; Path=/"]);
  assert.equal((await ask({ port }, "/stream")).body, "one two");
  assert.match((await ask({ port }, "/file")).body, /import express/);
  const part = await ask({ port }, "/file", { headers: { Range: "bytes=0-5" } });
  assert.deepEqual([part.status, part.body], [206, "import"]);
  const { etag } = (await ask({ port }, "/")).headers;
  const same = await ask({ port }, "/", { headers: { "If-None-Match": etag ?? "" } });
  assert.deepEqual([same.status, same.body], [304, ""]);
  assert.equal((await ask({ port }, "/throw")).status, 500);
  assert.equal((await ask({ port }, "/missing")).status, 404);
  assert.match((await ask({ port }, "/ip")).body, /127\.0\.0\.1/);
  const head = await ask({ port }, "/", { method: "HEAD" });
  assert.deepEqual([head.headers["content-length"], head.body], ["13", ""]);
});

test("Fastify runs as an exported instance and by its own listen()", async () => {
  await using fastify = await startNode(RELEASE, "fastify.mjs");
  const { port } = fastify;
  assert.equal((await ask({ port }, "/")).body, '{"hello":"fastify"}');
  const json = await ask({ port }, "/json", {
    method: "POST",
    body: '{"a":1}',
    headers: { "Content-Type": "application/json" },
  });
  assert.equal(json.body, '{"got":{"a":1}}');
  assert.equal((await ask({ port }, "/stream")).body, "abc");
  assert.equal((await ask({ port }, "/throw")).status, 500);
  await using listening = await startNode(RELEASE, "fastify-listen.mjs", {
    workers: { min: 2, max: 2 },
  });
  assert.equal((await ask({ port: listening.port }, "/")).body, '{"hello":"fastify"}');
  await listening.line(new RegExp(`listening at http://127.0.0.1:${listening.port}`));
});

test("a program that listens serves on the vassal's socket and is the main module", async () => {
  await using program = await startNode(RELEASE, "program.cjs");
  const answer = await ask({ port: program.port }, "/");
  assert.equal(answer.body, "program hello true true");
  await program.line(/listening event/);
  const address = `{"address":"127.0.0.1","port":${program.port},"family":"IPv4"}`;
  assert.ok((await program.line(/address/)).endsWith(address));
  assert.equal((await ask({ port: program.port }, "/close")).headers["connection"], "close");
});

test("a program that listens late is waited for; its other servers listen as they ask", async () => {
  await using late = await startNode(RELEASE, "late-listen.mjs");
  assert.equal((await ask({ port: late.port }, "/")).body, "late hello");
  const port = Number(/debug port (\d+)/.exec(await late.line(/debug port/))?.[1]);
  assert.notEqual(port, late.port);
  const text = await new Promise<string>((resolve) => {
    connect(port, "127.0.0.1").setEncoding("utf8").on("data", resolve);
  });
  assert.equal(text, "debug");
});

test("packages, TypeScript in CommonJS and Koa's shape are recognised", async () => {
  await using packaged = await startNode(RELEASE, "package");
  assert.equal((await ask({ port: packaged.port }, "/")).body, "main true");
  await using typed = await startNode(RELEASE, "typed/app");
  assert.equal((await ask({ port: typed.port }, "/")).body, "typed GET");
  await using koa = await startNode(RELEASE, "koa-like.cjs");
  assert.equal((await ask({ port: koa.port }, "/")).body, "koa-like hello");
});

/** An upload that waits for 100: what was answered, in order. */
function upload(port: number, path: string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const steps: string[] = [];
    const call = request(
      {
        port,
        path,
        method: "POST",
        agent: false,
        headers: { Expect: "100-continue", "Content-Length": 4, ...headers },
      },
      (answer) => {
        answer.setEncoding("utf8");
        answer.on("data", (text: string) => {
          resolve([...steps, `${answer.statusCode} ${text}`].join(", "));
          call.destroy();
        });
      },
    );
    call.on("continue", () => {
      steps.push("100 continue");
      call.end("body");
    });
    call.on("error", reject);
    call.flushHeaders();
  });
}
