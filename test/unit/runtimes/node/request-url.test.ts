import assert from "node:assert/strict";
import { test } from "node:test";
import { requestUrl } from "../../../../src/runtimes/node/request-url.ts";
import type { Exchange } from "../../../../src/server/exchange.ts";

function exchange(host: string, target: string, localAddress = "127.0.0.1"): Exchange {
  const peer = { address: "", port: 0, localAddress, localPort: 81 };
  return { head: { host, target }, peer, secure: false } as unknown as Exchange;
}

for (const [host, target, url] of [
  ["a.example", "/", "http://a.example/"],
  ["a.example:8080", "/x/y.z?q=%20&r", "http://a.example:8080/x/y.z?q=%20&r"],
  ["a.example:80", "/", "http://a.example/"],
  ["A.Example", "/", "http://a.example/"],
  ["127.0.0.1:81", "/a", "http://127.0.0.1:81/a"],
  ["127.1", "/a", "http://127.0.0.1/a"],
  ["[::1]:81", "/a", "http://[::1]:81/a"],
  ["a.example", "/a/../b", "http://a.example/b"],
  ["a.example", "/a/%2e%2e/b", "http://a.example/b"],
  ["a.example", "/.hidden", "http://a.example/.hidden"],
  ["a.example", "/a b", "http://a.example/a%20b"],
  ["a.example", "//other/x", "http://a.example//other/x"],
  ["a.example", "/x\\y", "http://a.example/x/y"],
  ["a.example", "*", "http://a.example/"],
  ["", "/x", "http://127.0.0.1:81/x"],
] as const) {
  test(`requestUrl() of ${JSON.stringify(host)} and ${target} is what the URL parser makes of it`, () => {
    assert.equal(requestUrl(exchange(host, target)), url);
    // The second time the host is known.
    assert.equal(requestUrl(exchange(host, target)), new URL(url).href);
  });
}

for (const host of ["a@b", "a/b", "a?b", "a#b", "a b", "user:pw@a"]) {
  test(`requestUrl() refuses the host ${JSON.stringify(host)}`, () => {
    assert.throws(() => requestUrl(exchange(host, "/")), TypeError);
  });
}
