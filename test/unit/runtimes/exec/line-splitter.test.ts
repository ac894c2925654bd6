/** Output of programs as lines. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LineSplitter } from "../../../../src/runtimes/exec/line-splitter.ts";

function split(chunks: readonly Buffer[]): readonly string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return lines;
}

test("LineSplitter gives the same lines wherever the output is cut", () => {
  const text = Buffer.from("one\r\nzwölf\n\nlast");
  for (let cut = 0; cut <= text.length; cut += 1) {
    const lines = split([text.subarray(0, cut), text.subarray(cut)]);
    assert.deepEqual(lines, ["one", "zwölf", "", "last"], `cut at ${cut}`);
  }
});

test("LineSplitter cuts a line that never ends", () => {
  const lines = split([Buffer.alloc(20_000, "x")]);
  assert.deepEqual(
    lines.map((line) => line.length),
    [8192, 8192, 3616],
  );
});
