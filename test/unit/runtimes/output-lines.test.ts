/** Output of programs as lines. */
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { LINE_MAX, readLines } from "../../../src/runtimes/output-lines.ts";

async function linesOf(chunks: readonly Buffer[]): Promise<readonly string[]> {
  const lines: string[] = [];
  const stream = Readable.from(chunks, { objectMode: false });
  readLines(stream, (line) => lines.push(line));
  await new Promise((resolve) => stream.on("close", resolve));
  return lines;
}

test("readLines() cuts lines at any chunk border, without their line breaks", async () => {
  const bytes = Buffer.from("eins\r\nzwölf\n\nletzte");
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const lines = await linesOf(
      [bytes.subarray(0, cut), bytes.subarray(cut)].filter((b) => b.length),
    );
    assert.deepEqual(lines, ["eins", "zwölf", "", "letzte"], `cut at ${cut}`);
  }
});

test("readLines() hands on long lines in bounded pieces", async () => {
  const lines = await linesOf([Buffer.alloc(2 * LINE_MAX + 5, "x"), Buffer.from("\nend\n")]);
  assert.deepEqual(
    lines.map((line) => line.length),
    [LINE_MAX, LINE_MAX, 5, 3],
  );
});

test("readLines() cuts a line that never ends", async () => {
  const lines = await linesOf([Buffer.alloc(20_000, "x")]);
  assert.deepEqual(
    lines.map((line) => line.length),
    [8192, 8192, 3616],
  );
});

test("readLines() keeps what came before a stream failed", async () => {
  const lines: string[] = [];
  const stream = new Readable({ read: () => undefined });
  readLines(stream, (line) => lines.push(line));
  stream.push("whole\npart");
  await new Promise((resolve) => stream.once("data", resolve));
  stream.destroy(new Error("gone"));
  await new Promise((resolve) => stream.once("close", resolve));
  assert.deepEqual(lines, ["whole", "part"]);
});
