/** Fetch handlers in real workers: plain ones and Hono. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { eventually } from "../kit/eventually.ts";
import { ask } from "../kit/http.ts";
import { startNode, type NodeFixture } from "../kit/node-runtime.ts";
import { APPS } from "../kit/paths.ts";

const RELEASE = `${APPS}node`;
let app: NodeFixture;

before(async () => {
  app = await startNode(RELEASE, "fetch.mjs");
});

after(async () => {
  await app[Symbol.asyncDispose]();
});

const get = (path: string, init?: RequestInit): Promise<Response> => fetch(app.url + path, init);

test("fetch handler answers text, bytes and UTF-8 with their length", async () => {
  const text = await get("/");
  assert.equal(text.headers.get("content-length"), "13");
  assert.equal(text.headers.get("content-type"), "text/plain;charset=UTF-8");
  assert.equal(await text.text(), "Hello, World!");
  assert.deepEqual([...new Uint8Array(await (await get("/bytes")).arrayBuffer())], [0, 255, 128]);
  assert.equal(await (await get("/utf8")).text(), "grüße 🙂");
});

test("fetch handler reads JSON, text, forms, clones and streams of a request", async () => {
  const body = JSON.stringify({ a: "ü" });
  const json = await get("/json", { method: "POST", body });
  assert.deepEqual(await json.json(), { got: { a: "ü" }, method: "POST" });
  assert.equal(await (await get("/text", { method: "PUT", body: "hi" })).text(), "hi");
  assert.equal(await (await get("/echo", { method: "POST", body: "stream" })).text(), "stream");
  assert.equal(await (await get("/clone", { method: "POST", body: "twin" })).text(), "twin");
  const form = new URLSearchParams({ x: "1" });
  assert.deepEqual(await (await get("/form", { method: "POST", body: form })).json(), [["x", "1"]]);
});

test("fetch handler sees URL, headers and peer of a request", async () => {
  assert.equal(await (await get("/url?a=b%20c")).text(), `${app.url}/url?a=b%20c`);
  assert.equal(await (await get("/header", { headers: { "x-test": "yes" } })).text(), "yes");
  assert.equal(await (await get("/peer")).text(), "127.0.0.1");
  assert.deepEqual(await (await get("/instance")).json(), [true, true]);
});

test("fetch handler keeps several set-cookie headers apart", async () => {
  assert.deepEqual((await get("/cookies")).headers.getSetCookie(), ["a=1", "b=2; Path=/"]);
});

test("fetch handler sets status, reason, redirects and empty bodies", async () => {
  const created = await get("/created");
  assert.deepEqual([created.status, created.statusText], [201, "Made"]);
  assert.equal(created.headers.get("x-up"), "Y");
  const empty = await ask({ port: app.port }, "/empty");
  assert.deepEqual(
    [empty.status, empty.body, empty.headers["content-length"]],
    [204, "", undefined],
  );
  assert.equal((await get("/redirect", { redirect: "manual" })).status, 302);
});

test("fetch handler answers HEAD with the length and without a body", async () => {
  const head = await ask({ port: app.port }, "/", { method: "HEAD" });
  assert.deepEqual([head.status, head.headers["content-length"], head.body], [200, "13", ""]);
});

test("fetch handler that throws, rejects or returns nonsense costs one 500 and shows its stack", async () => {
  for (const path of ["/throw", "/reject", "/nothing", "/bad-header"]) {
    assert.equal((await get(path)).status, 500, path);
  }
  await app.line(/err\|.*fetch boom/);
  await app.line(/err\|.*fetch rejection/);
  await app.line(/err\|.*Cannot send what the fetch handler returned: undefined/);
  await app.line(/err\|.*Cannot send header "x-a"/);
  assert.equal(await (await get("/")).text(), "Hello, World!");
});

test("fetch handler streams a response in chunks", async () => {
  const answer = await ask({ port: app.port }, "/stream");
  assert.equal(answer.headers["transfer-encoding"], "chunked");
  assert.equal(answer.body, "tick\ntick\ntick\n");
});

test("a response stream waits for a slow client and is cancelled when it leaves", async () => {
  const client = connect(app.port, "127.0.0.1");
  client.write("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
  client.pause();
  await app.line(/pulled 1$/);
  // 20 MiB would be 320 pulls; what socket buffers and queues hold is far less.
  await stillness(() => app.lines.length);
  assert.equal(
    app.lines.some((line) => line.endsWith("pulled 320")),
    false,
  );
  client.destroy();
  await app.line(/stream cancelled/);
});

test("an upload waits for a slow handler", async () => {
  const bytes = Buffer.alloc(16 * 1024 * 1024);
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent >= bytes.length) {
        controller.close();
        return;
      }
      controller.enqueue(bytes.subarray(sent, sent + 65_536));
      sent += 65_536;
    },
  });
  const init = { method: "POST", body, duplex: "half" } as RequestInit;
  const answer = get("/slow-read", init);
  await app.line(/reading on/);
  assert.ok(sent < bytes.length, "the whole body was taken before the handler read on");
  assert.equal(await (await answer).text(), String(bytes.length));
});

test("request.signal is aborted when the client leaves", async () => {
  const client = connect(app.port, "127.0.0.1");
  client.write("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  await app.line(/out\| waiting/);
  client.destroy();
  await app.line(/signal aborted/);
});

test("100-continue is sent when the handler reads the body", async () => {
  const text = await converse(
    app.port,
    "POST /text HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
    (seen, write) => {
      if (seen.endsWith("HTTP/1.1 100 Continue\r\n\r\n")) write("ok");
    },
  );
  assert.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/);
});

test("a Host that is no host is refused with 400", async () => {
  const text = await converse(app.port, "GET / HTTP/1.1\r\nHost: a@b\r\nConnection: close\r\n\r\n");
  assert.match(text, /^HTTP\/1\.1 400 /);
});

test("Hono runs: routes, JSON, forms, streams, bindings", async () => {
  await using hono = await startNode(RELEASE, "hono.ts");
  const at = (path: string, init?: RequestInit): Promise<Response> => fetch(hono.url + path, init);
  assert.equal(await (await at("/")).text(), "hono hello");
  const json = await at("/json", { method: "POST", body: '{"name":"x"}' });
  assert.deepEqual(await json.json(), { got: { name: "x" } });
  assert.match((await at("/html")).headers.get("content-type") ?? "", /text\/html/);
  assert.equal(await (await at("/stream")).text(), "one two");
  assert.equal(await (await at("/peer")).text(), "127.0.0.1");
  assert.deepEqual(await (await at("/query?a=1&b=%C3%BC")).json(), { a: "1", b: "ü" });
  const form = new FormData();
  form.set("f", "v");
  assert.deepEqual(await (await at("/form", { method: "POST", body: form })).json(), { f: "v" });
  assert.equal((await at("/missing")).status, 404);
});

/** Sends `first`, lets `answer` react to what has come, resolves with everything at the end. */
function converse(
  port: number,
  first: string,
  answer: (seen: string, write: (text: string) => void) => void = () => undefined,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const client = connect(port, "127.0.0.1");
    let seen = "";
    client.setEncoding("latin1");
    client.on("data", (text: string) => {
      seen += text;
      answer(seen, (more) => client.write(more));
    });
    client.on("error", reject);
    client.on("close", () => resolve(seen));
    client.write(first);
  });
}

/** Resolves when `value` has been the same for a while. */
async function stillness(value: () => number): Promise<void> {
  let last = -1;
  let same = 0;
  await eventually("nothing moves", () => {
    same = value() === last ? same + 1 : 0;
    last = value();
    return same >= 20;
  });
}
