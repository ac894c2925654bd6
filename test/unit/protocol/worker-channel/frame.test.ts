import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  ChannelError,
  FrameDecoder,
  decodeResponseStart,
} from "../../../../src/protocol/worker-channel/frame-decoder.ts";
import {
  FRAME,
  FRAME_MAX,
  TEMPLATES_MAX,
  encodeFrame,
  encodeNumberFrame,
} from "../../../../src/protocol/worker-channel/frame.ts";

const PYTHON = new URL("../../../../src/runtimes/python/", import.meta.url);

interface Seen {
  readonly type: number;
  readonly id: number;
  readonly payload: string;
}

function decodeAll(chunks: readonly Buffer[]): readonly Seen[] {
  const seen: Seen[] = [];
  const decoder = new FrameDecoder((type, id, bytes, start, end) =>
    seen.push({ type, id, payload: bytes.toString("latin1", start, end) }),
  );
  for (const chunk of chunks) decoder.push(chunk);
  return seen;
}

const STREAM = Buffer.from(
  encodeFrame(FRAME.request, 1, "REQUEST_METHOD\0GET") +
    encodeFrame(FRAME.end, 0xffff_fffe) +
    encodeNumberFrame(FRAME.credit, 70_000, 0x0102_0304) +
    encodeFrame(FRAME.data, 2, "\u00ff".repeat(1000)),
  "latin1",
);
const EXPECTED: readonly Seen[] = [
  { type: FRAME.request, id: 1, payload: "REQUEST_METHOD\0GET" },
  { type: FRAME.end, id: 0xffff_fffe, payload: "" },
  { type: FRAME.credit, id: 70_000, payload: "\u0004\u0003\u0002\u0001" },
  { type: FRAME.data, id: 2, payload: "\u00ff".repeat(1000) },
];

test("FrameDecoder: gives back what was encoded, cut at any byte", () => {
  assert.deepEqual(decodeAll([STREAM]), EXPECTED);
  for (let cut = 0; cut <= STREAM.length; cut += 1) {
    assert.deepEqual(decodeAll([STREAM.subarray(0, cut), STREAM.subarray(cut)]), EXPECTED);
  }
  const single = Array.from({ length: STREAM.length }, (_, at) => STREAM.subarray(at, at + 1));
  assert.deepEqual(decodeAll(single), EXPECTED);
});

test("FrameDecoder: refuses a frame that is too long before it has come", () => {
  const header = Buffer.alloc(9);
  header.writeUInt32LE(FRAME_MAX + 1, 0);
  assert.throws(() => decodeAll([header]), ChannelError);
});

test("decodeResponseStart: reads status, reason, lines and length; refuses a head that is cut", () => {
  const fixed = Buffer.alloc(16);
  fixed.writeUInt16LE(404, 0);
  fixed.writeUInt16LE(9, 2);
  fixed.writeUInt32LE(6, 4);
  fixed.writeUInt32LE(5, 8);
  fixed.writeUInt32LE(1, 12);
  const bytes = Buffer.concat([fixed, Buffer.from("Not FoundA: b\r\nbody")]);
  assert.deepEqual(decodeResponseStart(bytes, 0, bytes.length), {
    status: 404,
    reason: "Not Found",
    lines: "A: b\r\n",
    contentLength: 2 ** 32 + 5,
    bodyStart: 31,
  });
  fixed.writeUInt32LE(0xffff_ffff, 12);
  const unknown = Buffer.concat([fixed, Buffer.from("Not FoundA: b\r\n")]);
  assert.equal(decodeResponseStart(unknown, 0, unknown.length).contentLength, -1);
  for (const end of [0, 15, 20, 30]) {
    assert.throws(() => decodeResponseStart(bytes, 0, end), ChannelError);
  }
});

test("FRAME: Python has the same numbers", () => {
  const source = ["tsgi_worker.py", "tsgi_wsgi.py"]
    .map((name) => readFileSync(new URL(name, PYTHON), "utf8"))
    .join("\n");
  const numbers = new Map<string, number>();
  for (const [, names = "", values = ""] of source.matchAll(/^([A-Z_, ]+) = ([\d, ]+)$/gm)) {
    const list = values.split(",").map(Number);
    for (const [index, name] of names.split(", ").entries()) numbers.set(name, list[index] ?? -1);
  }
  assert.equal(numbers.get("TEMPLATES_MAX"), TEMPLATES_MAX);
  for (const [name, value] of Object.entries(FRAME)) {
    const python = name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    assert.equal(numbers.get(python), value, python);
  }
});
