import assert from "node:assert/strict";
import { test } from "node:test";
import {
  encodeFields,
  inspectLines,
  isBodiless,
  statusLine,
} from "../../../../src/protocol/http1/response-encoder.ts";

test("statusLine() uses the registered reason, an own one, or none", () => {
  assert.equal(statusLine(200), "HTTP/1.1 200 OK\r\n");
  assert.equal(statusLine(200, ""), "HTTP/1.1 200 OK\r\n");
  assert.equal(statusLine(404, "Gone fishing"), "HTTP/1.1 404 Gone fishing\r\n");
  assert.equal(statusLine(299), "HTTP/1.1 299 \r\n");
  for (const reason of ["a\rb", "a\nb", "a\0b", "\u20ac"]) {
    assert.throws(() => statusLine(200, reason), RangeError);
  }
});

test("encodeFields() writes lines and takes the front's own headers out", () => {
  const lines = encodeFields([
    "A",
    "b",
    "Content-Length",
    "12",
    "Connection",
    "keep-alive, Close",
    "date",
    "now",
    "Server",
    "x",
    "Transfer-Encoding",
    "chunked",
    "Keep-Alive",
    "timeout=9",
    "Upgrade",
    "h2c",
    "C",
    "",
  ]);
  assert.deepEqual(lines, {
    text: "A: b\r\ndate: now\r\nServer: x\r\nC: \r\n",
    contentLength: 12,
    hasDate: true,
    hasServer: true,
    close: true,
  });
});

for (const [what, headers] of [
  ["CR LF in a value", ["A", "b\r\nC: d"]],
  ["CR in a value", ["A", "b\rc"]],
  ["LF in a value", ["A", "b\nc"]],
  ["NUL in a value", ["A", "b\0c"]],
  ["a character that is no byte", ["A", "\u20ac"]],
  ["characters whose low byte is a line break", ["A", "\u010d\u010a"]],
  ["an empty name", ["", "b"]],
  ["a colon in a name", ["A:", "b"]],
  ["a line break in a name", ["A\r\nB", "c"]],
  ["a negative length", ["Content-Length", "-1"]],
  ["two lengths", ["Content-Length", "1", "content-length", "2"]],
] as const) {
  test(`encodeFields() throws RangeError for ${what}`, () => {
    assert.throws(() => encodeFields(headers), RangeError);
  });
}

test("inspectLines() finds Content-Length, Date and Server at the start of lines only", () => {
  const lines = "X-Date: date: 1\r\ncontent-LENGTH :  7 \r\nSERVER:\r\nY: server: z\r\n";
  assert.deepEqual(inspectLines(lines), {
    text: "X-Date: date: 1\r\nSERVER:\r\nY: server: z\r\n",
    contentLength: 7,
    hasDate: false,
    hasServer: true,
    close: false,
  });
});

test("isBodiless() is 204, 304 and informational", () => {
  assert.deepEqual([199, 200, 204, 205, 304, 404].filter(isBodiless), [199, 204, 304]);
});
