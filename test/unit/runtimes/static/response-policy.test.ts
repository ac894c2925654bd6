/** What is answered for a file that was found. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestHead } from "../../../../src/protocol/request.ts";
import { describeFile, planResponse } from "../../../../src/runtimes/static/response-policy.ts";

const FILE = describeFile({
  etag: '"v1"',
  lastModifiedMs: 784_111_777_000,
  sizeBytes: 10,
  contentType: "text/plain; charset=utf-8",
  coding: "gzip",
  cacheControl: "public, max-age=60",
  negotiated: true,
});
const VALIDATORS =
  'ETag: "v1"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n' +
  "Cache-Control: public, max-age=60\r\nVary: Accept-Encoding\r\n";

function head(method: string, ...headers: readonly string[]): RequestHead {
  const rest = {
    target: "/",
    minor: 1,
    keepAlive: true,
    expectsContinue: false,
    host: "a",
  } as const;
  return { method, headers, body: { kind: "none" }, ...rest };
}

test("planResponse() of a plain GET is the whole file with type, validators and encoding", () => {
  assert.deepEqual(planResponse(head("GET"), FILE), {
    status: 200,
    reason: "OK",
    lines: `Content-Type: text/plain; charset=utf-8\r\n${VALIDATORS}Content-Encoding: gzip\r\nAccept-Ranges: bytes\r\n`,
    contentLength: 10,
    parts: [{ kind: "bytes", first: 0, last: 9 }],
  });
});

test("planResponse() of HEAD has the length and no body, and knows no ranges", () => {
  const plan = planResponse(head("HEAD", "Range", "bytes=0-1"), FILE);
  assert.deepEqual([plan.status, plan.contentLength, plan.parts], [200, 10, []]);
});

test("planResponse() answers 304 with the validators and without type and length", () => {
  const plan = planResponse(head("GET", "If-None-Match", '"v1"'), FILE);
  assert.deepEqual(plan, {
    status: 304,
    reason: "Not Modified",
    lines: VALIDATORS,
    contentLength: -1,
    parts: [],
  });
});

test("planResponse() answers one range with 206 and Content-Range", () => {
  const plan = planResponse(head("GET", "Range", "bytes=2-3"), FILE);
  assert.equal(plan.status, 206);
  assert.match(plan.lines, /^Content-Range: bytes 2-3\/10\r\n/);
  assert.deepEqual([plan.contentLength, plan.parts], [2, [{ kind: "bytes", first: 2, last: 3 }]]);
});

test("planResponse() ignores the range when If-Range names another version", () => {
  const plan = planResponse(head("GET", "Range", "bytes=2-3", "If-Range", '"v0"'), FILE);
  assert.deepEqual([plan.status, plan.contentLength], [200, 10]);
});

test("planResponse() answers a range outside of the file with 416 and its size", () => {
  const plan = planResponse(head("GET", "Range", "bytes=10-"), FILE);
  assert.equal(plan.status, 416);
  assert.match(plan.lines, /^Content-Range: bytes \*\/10\r\n/);
  assert.deepEqual([plan.contentLength, plan.parts], [0, []]);
});

test("planResponse() sends several ranges as multipart/byteranges whose length is that of its parts", () => {
  const plan = planResponse(head("GET", "Range", "bytes=0-1,-1"), FILE);
  const body = plan.parts
    .map((part) =>
      part.kind === "text" ? part.text : "0123456789".slice(part.first, part.last + 1),
    )
    .join("");
  const boundary = /multipart\/byteranges; boundary=(\S+)/.exec(plan.lines)?.[1];
  assert.equal(plan.status, 206);
  assert.doesNotMatch(plan.lines, /Content-Type: text|Content-Range/);
  assert.equal(plan.contentLength, body.length);
  assert.equal(
    body,
    `\r\n--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 0-1/10\r\n\r\n01` +
      `\r\n--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 9-9/10\r\n\r\n9` +
      `\r\n--${boundary}--\r\n`,
  );
});

test("planResponse() of an empty file has no parts", () => {
  const plan = planResponse(head("GET"), { ...FILE, sizeBytes: 0 });
  assert.deepEqual([plan.status, plan.contentLength, plan.parts], [200, 0, []]);
});
