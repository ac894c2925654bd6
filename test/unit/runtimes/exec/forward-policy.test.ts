/** Which header fields travel through the front, and when a request may be repeated. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestHead } from "../../../../src/protocol/request.ts";
import {
  forwardRequestHeaders,
  forwardResponseHeaders,
  mayRetry,
} from "../../../../src/runtimes/exec/forward-policy.ts";

const ORIGIN = { address: "192.0.2.7", secure: false, fallbackHost: "127.0.0.1:9" };

function head(headers: readonly string[], host = "example.org"): RequestHead {
  const rest = { minor: 1, keepAlive: true, expectsContinue: false } as const;
  return { method: "GET", target: "/", headers, body: { kind: "none" }, host, ...rest };
}

const SAID = ["X-Forwarded-For", "192.0.2.7", "X-Forwarded-Proto", "http"];

test("forwardRequestHeaders() passes Host and end-to-end fields on in their order", () => {
  const headers = ["Host", "example.org", "Cookie", "a=1", "cookie", "b=2", "X-Y", "é"];
  assert.deepEqual(forwardRequestHeaders(head(headers), ORIGIN), [
    "Host",
    "example.org",
    "Cookie",
    "a=1",
    "cookie",
    "b=2",
    "X-Y",
    "é",
    ...SAID,
    "X-Forwarded-Host",
    "example.org",
  ]);
});

test("forwardRequestHeaders() removes hop-by-hop fields and those that Connection names", () => {
  const names = ["Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "TE"];
  names.push("Transfer-Encoding", "Content-Length", "Upgrade", "Expect", "Proxy");
  const headers = ["Connection", "close, X-Secret ,x-other", "X-Secret", "1", "X-OTHER", "2"];
  headers.push(
    ...names.flatMap((name) => [name, "x"]),
    ...names.flatMap((name) => [name.toUpperCase(), "x"]),
  );
  assert.deepEqual(forwardRequestHeaders(head(headers), ORIGIN), [
    "Host",
    "example.org",
    ...SAID,
    "X-Forwarded-Host",
    "example.org",
  ]);
});

test("forwardRequestHeaders() replaces what a client says about forwarding", () => {
  const headers = [
    "X-Forwarded-For",
    "10.0.0.1",
    "x-forwarded-proto",
    "https",
    "Forwarded",
    "for=x",
  ];
  headers.push("X-Forwarded-Host", "evil", "X-Forwarded-Prefix", "/admin", "X-Real-IP", "10.0.0.1");
  const sent = forwardRequestHeaders(head(headers), { ...ORIGIN, secure: true });
  assert.deepEqual(sent.slice(2), [
    "X-Forwarded-For",
    "192.0.2.7",
    "X-Forwarded-Proto",
    "https",
    "X-Forwarded-Host",
    "example.org",
  ]);
});

test("forwardRequestHeaders() lets no Connection header take away Host or what the front says", () => {
  const headers = ["Connection", "host, x-forwarded-for, x-forwarded-proto", "Host", "example.org"];
  const sent = forwardRequestHeaders(head(headers), ORIGIN);
  assert.deepEqual(sent.slice(0, 6), ["Host", "example.org", ...SAID]);
});

test("forwardRequestHeaders() names the program as Host when the client named nobody", () => {
  const sent = forwardRequestHeaders(head([], ""), { ...ORIGIN, address: "" });
  assert.deepEqual(sent, [
    "Host",
    "127.0.0.1:9",
    "X-Forwarded-For",
    "unix:",
    "X-Forwarded-Proto",
    "http",
  ]);
});

test("forwardResponseHeaders() removes framing and hop-by-hop fields, keeps repeated cookies", () => {
  const received = ["Set-Cookie", "a=1", "Connection", "keep-alive, X-Hop", "X-Hop", "1"];
  received.push("Set-Cookie", "b=2", "Transfer-Encoding", "chunked", "Trailer", "X-T");
  received.push("Content-Length", "3", "Keep-Alive", "timeout=5", "Upgrade", "h2c", "Host", "kept");
  assert.deepEqual(forwardResponseHeaders(received), [
    "Set-Cookie",
    "a=1",
    "Set-Cookie",
    "b=2",
    "Host",
    "kept",
  ]);
});

const LOST = { method: "GET", hasBody: false, reused: true, sent: true, answered: false, tries: 1 };

/** What differs from an idempotent request on a reused connection, and the verdict. */
const RETRIES: readonly (readonly [difference: Partial<typeof LOST>, again: boolean])[] = [
  [{}, true],
  [{ method: "DELETE" }, true],
  [{ method: "POST" }, false],
  [{ method: "PATCH" }, false],
  [{ method: "get" }, false],
  [{ hasBody: true, method: "PUT" }, false],
  [{ reused: false }, false],
  [{ answered: true }, false],
  [{ tries: 2 }, false],
  [{ sent: false, reused: false, method: "POST", hasBody: true }, true],
  [{ sent: false, tries: 3, method: "POST" }, true],
  [{ sent: false, tries: 4 }, false],
];

for (const [difference, again] of RETRIES) {
  test(`mayRetry() is ${again} with ${JSON.stringify(difference)}`, () => {
    assert.equal(mayRetry({ ...LOST, ...difference }), again);
  });
}
