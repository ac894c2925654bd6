/** PEP 3333 as applications see it: real workers behind a real front. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { ask } from "../kit/http.ts";
import { missing } from "../kit/programs.ts";
import { PYTHON_APPS, startPython } from "../kit/python-runtime.ts";
import type { PythonFixture } from "../kit/python-runtime.ts";

/** What a raw connection answers until it is closed. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => (answer += chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
    socket.end(text);
  });
}

for (const threads of [1, 4]) {
  describe(`WSGI with ${threads} thread(s)`, { skip: missing("python3") }, () => {
    let app: PythonFixture;
    const get = (path: string, options: Parameters<typeof ask>[2] = {}): ReturnType<typeof ask> =>
      ask(app, path, options);

    before(async () => {
      app = await startPython(PYTHON_APPS, "routes.py", { threads });
    });
    after(async () => {
      await app[Symbol.asyncDispose]();
    });

    test("environ: has what PEP 3333 and CGI name, decoded as latin1", async () => {
      const { body } = await get("/v/environ?a=%41&b", {
        headers: { "X-Two-Words": "one", "X-Repeated": ["a", "b"], Cookie: ["c=1", "d=2"] },
      });
      const env = JSON.parse(body) as Record<string, unknown>;
      assert.equal(env["REQUEST_METHOD"], "GET");
      assert.equal(env["PATH_INFO"], "/v/environ");
      assert.equal(env["SCRIPT_NAME"], "");
      assert.equal(env["QUERY_STRING"], "a=%41&b");
      assert.equal(env["REQUEST_URI"], "/v/environ?a=%41&b");
      assert.equal(env["SERVER_PROTOCOL"], "HTTP/1.1");
      assert.equal(env["SERVER_NAME"], "127.0.0.1");
      assert.equal(env["SERVER_PORT"], String(app.port));
      assert.equal(env["REMOTE_ADDR"], "127.0.0.1");
      assert.match(String(env["REMOTE_PORT"]), /^\d+$/);
      assert.match(String(env["SERVER_SOFTWARE"]), /^tsgi\//);
      assert.equal(env["HTTP_X_TWO_WORDS"], "one");
      assert.equal(env["HTTP_X_REPEATED"], "a,b");
      assert.equal(env["HTTP_COOKIE"], "c=1; d=2");
      assert.equal(env["wsgi.url_scheme"], "http");
      assert.deepEqual(env["wsgi.version"], [1, 0]);
      assert.equal(env["wsgi.multithread"], threads > 1);
      assert.equal(env["wsgi.multiprocess"], false);
      assert.equal(env["wsgi.run_once"], false);
      assert.ok(!("HTTP_CONTENT_LENGTH" in env) && !("CONTENT_LENGTH" in env));
      const decoded = JSON.parse((await get("/x/%C3%A9+%20y")).body) as Record<string, unknown>;
      assert.equal(decoded["PATH_INFO"], "/x/\u00c3\u00a9+ y");
    });

    test("environ: a Proxy header and a NUL in the path do not reach the application", async () => {
      const env = (await get("/", { headers: { Proxy: "http://evil" } })).body;
      assert.ok(!env.includes("evil"));
      assert.equal((await get("/a%00b")).status, 400);
    });

    test("wsgi.input: read, parts, lines; with a length and chunked; never past the end", async () => {
      const big = Buffer.alloc(300_000, "ab");
      for (const headers of [{ "Content-Length": big.length }, {}]) {
        const options = { method: "POST", body: big, headers };
        assert.equal((await get("/v/read_parts", options)).body, "[300000, 0, 1000]");
        assert.equal((await get("/read", options)).body, "300000 abababababababababab");
      }
      const lines = { method: "POST", body: "one\ntwo\nthree\nfour" };
      assert.deepEqual(JSON.parse((await get("/v/lines", lines)).body), [
        "one\n",
        "two\n",
        "three\nfour",
      ]);
      assert.deepEqual(JSON.parse((await get("/short_lines", lines)).body), [
        "one",
        "\n",
        "two",
        "\n",
        "th",
      ]);
    });

    test("wsgi.input: a body in the other direction at the same time, 20 MB through small windows", async () => {
      const body = Buffer.alloc(20_000_000, "0123456789");
      const answer = await get("/echo", { method: "POST", body });
      assert.equal(answer.body.length, body.length);
      assert.ok(answer.body === body.toString());
    });

    test("wsgi.input: 100 Continue is sent when the application reads, and not before", async () => {
      const socket = connect(app.port, "127.0.0.1");
      socket.setEncoding("latin1");
      let answer = "";
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.write(
        "POST /read HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n",
      );
      socket.on("data", (chunk: string) => {
        if (answer === "") socket.write("hi");
        answer += chunk;
      });
      await closed;
      assert.match(answer, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK[^]*2 hi$/);
      const unread = await raw(
        app.port,
        "POST /pid HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n",
      );
      assert.match(unread, /^HTTP\/1\.1 200 OK/);
    });

    test("an unread body costs nothing: the connection goes on", async () => {
      const request = `POST /pid HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n${"x".repeat(5000)}`;
      const answer = await raw(
        app.port,
        `${request}GET /pid HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      );
      assert.equal(answer.match(/HTTP\/1\.1 200 OK/g)?.length, 2);
    });

    test("responses: lists get a Content-Length, iterables stream, write() works", async () => {
      const list = await get("/pid");
      assert.equal(list.headers["content-length"], String(list.body.length));
      const streamed = await get("/v/closing");
      assert.equal(streamed.body, "ab");
      assert.equal(streamed.headers["transfer-encoding"], "chunked");
      assert.equal((await get("/v/write")).body, "one two three");
      assert.ok((await get("/closed")).body.includes("closing"));
    });

    test("responses: large ones in every shape", async () => {
      assert.equal((await get("/large?5000000")).body.length, 5_000_000);
      const file = await get("/file");
      assert.equal(file.headers["content-length"], "999995");
      assert.equal(file.body, "0123456789".repeat(100_000).slice(5));
      assert.equal((await get("/v/pseudo_file")).body, "z".repeat(20_000));
    });

    test("responses: HEAD, 204 and 304 have no body", async () => {
      const head = await get("/large?5000", { method: "HEAD" });
      assert.equal(head.headers["content-length"], "5000");
      assert.equal((await get("/closing", { method: "HEAD" })).status, 200);
      const none = await get("/v/no_content");
      assert.equal(none.status, 204);
      assert.equal(none.headers["content-length"], undefined);
      assert.equal((await get("/status?304+Not+Modified")).status, 304);
    });

    test("responses: a status with a reason of its own, and without", async () => {
      assert.match(
        await raw(
          app.port,
          "GET /status?299+Quite+Fine HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        ),
        /^HTTP\/1\.1 299 Quite Fine\r\n/,
      );
    });

    test("start_response: exc_info replaces an unsent head, and raises once it is sent", async () => {
      const replaced = await get("/v/exc_info");
      assert.equal(replaced.status, 503);
      assert.equal(replaced.body, "replaced");
      await assert.rejects(get("/exc_info_late"));
      await app.line(/ValueError: too late to replace/);
    });

    test("start_response: refuses what would split or confuse the response", async () => {
      for (const which of ["crlf", "nul", "name", "hop", "int", "length", "unicode"]) {
        const answer = await get(`/bad_header?${which}`);
        assert.equal(answer.status, 500, which);
        assert.equal(answer.headers["set-cookie"], undefined);
      }
      assert.equal((await get("/bad_status")).status, 500);
      assert.equal((await get("/no_start")).status, 500);
      assert.equal((await get("/not_bytes")).status, 500);
    });

    test("an exception is a 500 with its traceback in the log, and the worker lives", async () => {
      const { body: pid } = await get("/pid");
      assert.equal((await get("/raises")).status, 500);
      await app.line(/err\| KeyError: 'boom'/);
      await app.line(/err\| Exception in GET \/raises/);
      assert.equal((await get("/leaves")).status, 500);
      assert.equal((await get("/pid")).body, pid);
    });

    test("an exception after the head cuts the response, and the iterator is closed", async () => {
      await assert.rejects(get("/raises_late"));
      await app.line(/RuntimeError: in the middle/);
      await app.line(/closed raises_late/);
    });

    test("Content-Length that is not kept: short is cut, long is trimmed", async () => {
      await assert.rejects(get("/short"));
      assert.equal((await get("/long")).body, "long");
      await app.line(/Content-Length was 4/);
    });

    test("a client that leaves: its iterator is closed and the worker is free", async () => {
      const socket = connect(app.port, "127.0.0.1");
      socket.write("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
      await new Promise((resolve) => socket.once("data", resolve));
      socket.destroy();
      await app.line(/closed endless/);
      assert.equal((await get("/pid")).status, 200);
    });

    test("output: every way of printing reaches the log in lines of the worker, bounded", async () => {
      await get("/prints");
      await app.line(/^w1 out\| to stdout$/);
      await app.line(/^w1 err\| to stderr$/);
      await app.line(/^w1 err\| to wsgi\.errors$/);
      await app.line(/^w1 out\| by the system call$/);
      await app.line(/^w1 out\| through \/dev\/stdout$/);
      await app.line(/^w1 out\| l{8192}$/);
    });
  });
}

test("a slow client of a large response blocks no other one (threads)", async () => {
  await using app = await startPython(PYTHON_APPS, "routes.py", { threads: 2 });
  const slow = connect(app.port, "127.0.0.1");
  slow.write("GET /large?50000000 HTTP/1.1\r\nHost: a\r\n\r\n");
  await new Promise((resolve) => slow.once("readable", resolve));
  for (let turn = 0; turn < 20; turn += 1) {
    assert.equal((await ask(app, "/pid")).status, 200);
  }
  slow.destroy();
});
