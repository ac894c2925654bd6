/** Requests to a program, written anew. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bodyEnd,
  chunkFrame,
  encodeRequestHead,
} from "../../../../src/protocol/http1/request-encoder.ts";
import { RequestDecoder } from "../../../../src/protocol/http1/request-decoder.ts";

const NONE = { kind: "none" } as const;
const LIMITS = { maxTargetBytes: 8192, maxHeadBytes: 65_536, maxHeaders: 100, maxBodyBytes: 1e9 };

test("encodeRequestHead() writes exactly one framing", () => {
  const framing = (method: string, body: Parameters<typeof bodyEnd>[0]): string =>
    encodeRequestHead({ method, target: "/", body }, ["Host", "a"]).split("Host: a\r\n")[1] ?? "";
  assert.equal(framing("GET", NONE), "\r\n");
  assert.equal(framing("POST", NONE), "Content-Length: 0\r\n\r\n");
  assert.equal(framing("GET", { kind: "length", bytes: 5 }), "Content-Length: 5\r\n\r\n");
  assert.equal(framing("PUT", { kind: "chunked" }), "Transfer-Encoding: chunked\r\n\r\n");
});

test("encodeRequestHead() is read back by the server's decoder as it was meant", () => {
  const headers = ["Host", "a:80", "X-Latin", "caf\u00e9", "Empty", ""];
  const body = { kind: "length", bytes: 3 } as const;
  const text = encodeRequestHead({ method: "PUT", target: "/a%20b?c=[d]", body }, headers);
  const decoder = new RequestDecoder(LIMITS);
  decoder.push(Buffer.from(text, "latin1"));
  const event = decoder.next();
  assert.ok(event?.type === "head");
  assert.deepEqual(event.head.headers, [...headers, "Content-Length", "3"]);
  assert.deepEqual(
    [event.head.method, event.head.target, event.head.body],
    ["PUT", "/a%20b?c=[d]", body],
  );
});

/** Method, target, header name and value that would be another message on the wire. */
const SPLITTING: readonly (readonly [string, string, string, string])[] = [
  ["GET /evil", "/", "A", "b"],
  ["", "/", "A", "b"],
  ["GET", "/ HTTP/1.1\r\nX: 1", "A", "b"],
  ["GET", "/a b", "A", "b"],
  ["GET", "", "A", "b"],
  ["GET", "/", "A: b\r\nC", "d"],
  ["GET", "/", "", "d"],
  ["GET", "/", "A", "b\r\nC: d"],
  ["GET", "/", "A", "b\0"],
  ["GET", "/", "A", "\u0100"],
];

for (const [method, target, name, value] of SPLITTING) {
  test(`encodeRequestHead() refuses ${JSON.stringify([method, target, name, value])}`, () => {
    const line = { method, target, body: NONE };
    assert.throws(() => encodeRequestHead(line, [name, value]), RangeError);
  });
}

test("chunkFrame() and bodyEnd() frame a chunked body and leave a counted one alone", () => {
  const chunked = { kind: "chunked" } as const;
  assert.deepEqual(chunkFrame(chunked, 255), ["ff\r\n", "\r\n"]);
  assert.equal(bodyEnd(chunked), "0\r\n\r\n");
  assert.deepEqual(chunkFrame({ kind: "length", bytes: 255 }, 255), ["", ""]);
  assert.equal(bodyEnd({ kind: "length", bytes: 255 }), "");
});
