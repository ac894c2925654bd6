import assert from "node:assert/strict";
import { test } from "node:test";
import { framingLine, responseFraming } from "../../../../src/protocol/http1/response-framing.ts";

for (const [what, args, framing, length] of [
  ["a declared length", [200, "GET", 1, 5, -1], "length", 5],
  ["a declared length over what is there", [200, "GET", 1, 5, 3], "length", 5],
  ["a body that is all there", [200, "GET", 1, -1, 3], "length", 3],
  ["an empty body that is all there", [200, "GET", 0, -1, 0], "length", 0],
  ["an unknown length for HTTP/1.1", [200, "GET", 1, -1, -1], "chunked", -1],
  ["an unknown length for HTTP/1.0", [200, "GET", 0, -1, -1], "close", -1],
  ["HEAD with a declared length", [200, "HEAD", 1, 5, 0], "none", 5],
  ["HEAD without one", [200, "HEAD", 1, -1, 3], "none", -1],
  ["204 whatever is declared", [204, "GET", 1, 5, 3], "none", -1],
  ["304 with a declared length", [304, "GET", 1, 5, 0], "none", 5],
  ["304 without one", [304, "GET", 1, -1, 3], "none", -1],
] as const) {
  test(`responseFraming() of ${what} is ${framing}`, () => {
    const [status, method, minor, declared, whole] = args;
    assert.deepEqual(responseFraming(status, method, minor, declared, whole), { framing, length });
  });
}

test("framingLine() announces a length or chunks, or nothing", () => {
  assert.equal(framingLine("length", 0), "Content-Length: 0\r\n");
  assert.equal(framingLine("none", 5), "Content-Length: 5\r\n");
  assert.equal(framingLine("chunked", -1), "Transfer-Encoding: chunked\r\n");
  assert.equal(framingLine("none", -1) + framingLine("close", -1), "");
});
