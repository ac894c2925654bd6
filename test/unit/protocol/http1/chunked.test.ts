import assert from "node:assert/strict";
import { test } from "node:test";
import { ChunkedDecoder, LAST_CHUNK, chunkPrefix } from "../../../../src/protocol/http1/chunked.ts";
import { TEST_LIMITS, seededCuts } from "../../../kit/read-requests.ts";

function decode(
  raw: Buffer,
  cuts: readonly number[],
): { readonly body: string; readonly rest: string } {
  const decoder = new ChunkedDecoder(TEST_LIMITS);
  let body = "";
  let from = 0;
  for (const to of [...cuts, raw.length]) {
    const chunk = Buffer.from(raw.subarray(from, to));
    let data = decoder.read(chunk, 0);
    for (; data !== undefined; data = decoder.read(chunk, decoder.position))
      body += data.toString("latin1");
    if (decoder.done) return { body, rest: raw.toString("latin1", from + decoder.position) };
    assert.equal(decoder.position, chunk.length);
    from = to;
  }
  throw new Error("Cannot end: the body is not done");
}

test("ChunkedDecoder decodes what chunkPrefix encodes, and leaves what follows the body", () => {
  const sizes = [1, 9, 10, 15, 16, 255, 4096, 70_000];
  const parts = sizes.map((size, index) => String.fromCharCode(97 + index).repeat(size));
  const encoded =
    parts.map((part) => `${chunkPrefix(part.length)}${part}\r\n`).join("") + LAST_CHUNK;
  const raw = Buffer.from(`${encoded}GET /next`, "latin1");
  for (let seed = 0; seed < 5; seed += 1) {
    const cuts =
      seed === 0 ? [] : seededCuts(raw.length, seed).filter((cut) => cut < encoded.length);
    assert.deepEqual(decode(raw, cuts), { body: parts.join(""), rest: "GET /next" });
  }
});

test("ChunkedDecoder reports the offset of a fault in the chunk that has it", () => {
  const decoder = new ChunkedDecoder(TEST_LIMITS);
  assert.equal(decoder.read(Buffer.from("1\r\nx\r\n"), 0)?.toString(), "x");
  assert.throws(
    () => decoder.read(Buffer.from("1\r\nyZ"), 0) && decoder.read(Buffer.from("Z"), 0),
    {
      code: "bad-chunk-end",
      offset: 0,
    },
  );
});
