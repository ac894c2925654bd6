/** Addresses: which two cannot both be bound. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadFlags } from "../../../../src/config/load.ts";
import { addressesClash } from "../../../../src/config/types/listen-address.ts";
import type { ListenAddress } from "../../../../src/config/vassal-config.ts";

function address(url: string): ListenAddress {
  const flags = new Map([
    ["listen", [url]],
    ["node", ["a.js"]],
  ]);
  const result = loadFlags(flags, "/srv");
  assert.ok(result.ok, url);
  const [first] = result.config.listen;
  assert.ok(first !== undefined);
  return first;
}

test("addressesClash() knows equal addresses, all interfaces and IPv6", () => {
  const rows: readonly [string, string, boolean][] = [
    ["http://127.0.0.1:80", "http://127.0.0.1:80", true],
    ["http://127.0.0.1:80", "http://localhost:80", true],
    ["http://127.0.0.1:80", "http://127.0.0.1:81", false],
    ["http://127.0.0.1:80", "http://127.0.0.2:80", false],
    ["http://:80", "http://127.0.0.1:80", true],
    ["http://*:80", "http://0.0.0.0:80", true],
    ["http://[::]:80", "http://127.0.0.1:80", true],
    ["http://[::]:80", "http://[::1]:80", true],
    ["http://:80", "http://[::1]:80", false],
    ["http://[0:0:0::1]:80", "http://[::1]:80", true],
    ["http+unix:///a", "http+unix:////a", true],
    ["http+unix:///a", "http+unix:///b", false],
    ["http+unix:///a", "http://:80", false],
    ["http+unix://./a", "http+unix:///srv/a", true],
  ];
  for (const [first, second, expected] of rows) {
    assert.equal(addressesClash(address(first), address(second)), expected, `${first} ${second}`);
    assert.equal(addressesClash(address(second), address(first)), expected, `${second} ${first}`);
  }
});

test("listen refuses paths that do not fit into a socket address", () => {
  const flags = (path: string) =>
    loadFlags(
      new Map([
        ["listen", [path]],
        ["node", ["a"]],
      ]),
      "/srv",
    );
  assert.ok(flags(`http+unix:///${"a".repeat(106)}`).ok);
  const result = flags(`http+unix:///${"ä".repeat(54)}`);
  assert.ok(!result.ok);
  assert.match(result.problems[0]?.message ?? "", /109 bytes, at most 107/);
});

test("uWSGI's socket options take host:port, :port and paths, also with a colon in them", () => {
  const rows: readonly [string, string | undefined][] = [
    [":80", "http://0.0.0.0:80"],
    ["127.0.0.1:80", "http://127.0.0.1:80"],
    ["[::1]:80", "http://[::1]:80"],
    ["/run/x.sock", "http+unix:///run/x.sock"],
    ["x.sock", "http+unix:///srv/x.sock"],
    ["./a:b.sock", "http+unix:///srv/a:b.sock"],
    ["/a:b.sock", "http+unix:///a:b.sock"],
    ["http://:80", "http://0.0.0.0:80"],
    ["80", undefined],
    ["127.0.0.1", undefined],
    ["@abstract", undefined],
    [":0", undefined],
    ["host:80", undefined],
    ["1.2.3.256:80", undefined],
    ["[::1", undefined],
  ];
  for (const [text, expected] of rows) {
    const result = loadFlags(
      new Map([
        ["http-socket", [text]],
        ["node", ["a.js"]],
      ]),
      "/srv",
    );
    assert.equal(result.ok ? result.config.listen[0]?.text : undefined, expected, text);
  }
});
