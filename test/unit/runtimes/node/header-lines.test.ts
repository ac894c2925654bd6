import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderLines } from "../../../../src/runtimes/node/header-lines.ts";

test("HeaderLines makes lines, and keeps what is the front's out of them", () => {
  const lines = new HeaderLines();
  lines.add("X-A", "1");
  lines.add("Content-Length", "12");
  lines.add("Transfer-Encoding", "chunked");
  lines.add("Keep-Alive", "timeout=9");
  lines.add("Set-Cookie", "é=1");
  assert.equal(lines.text, "X-A: 1\r\nSet-Cookie: é=1\r\n");
  assert.deepEqual([lines.contentLength, lines.close], [12, false]);
});

test("HeaderLines remembers that the application wants the connection closed", () => {
  const lines = new HeaderLines();
  lines.add("Connection", "foo, Close");
  assert.deepEqual([lines.text, lines.close], ["", true]);
});

for (const [name, value] of [
  ["X-A", "b\r\nSet-Cookie: c"],
  ["X-A", "b\0"],
  ["X-A", "\u{1f642}"],
  ["X A", "b"],
  ["X:", "b"],
  ["", "b"],
  ["Content-Length", "1, 2"],
  ["Content-Length", "-1"],
] as const) {
  test(`HeaderLines refuses ${JSON.stringify(`${name}: ${value}`)}`, () => {
    assert.throws(() => new HeaderLines().add(name, value), TypeError);
  });
}
