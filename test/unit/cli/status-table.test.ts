import assert from "node:assert/strict";
import { test } from "node:test";
import { renderStatus } from "../../../src/cli/render/status-table.ts";
import { COLOURED, PLAIN, styleFor } from "../../../src/cli/render/style.ts";
import { NO_TRAFFIC } from "../../../src/ipc/link.ts";
import { sampleSnapshot, sampleVassal } from "../../kit/sample-snapshot.ts";

const DOWN = { up: false, ready: false, healthy: false, serving: false, pid: 0, workers: [] };

test("renderStatus() is a plain table with reasons and last lines below the row", () => {
  const text = renderStatus(
    sampleSnapshot([
      sampleVassal(),
      sampleVassal({
        ...DOWN,
        name: "shop",
        state: "backing-off",
        generation: 0,
        rssBytes: 0,
        reason: "it exited with code 22 before it was ready",
        backoff: { attempt: 4, nextInMs: 31_200 },
        lastLines: ["Traceback", "ImportError: no module named 'x'\u001b[31m"],
        counters: { ...NO_TRAFFIC, requestsServed: 12_345_678 },
      }),
    ]),
    { style: PLAIN, details: false },
  );
  assert.equal(
    text,
    `NAME  STATE        URHS  GEN   PID  WORKERS   REQS  MEM  LISTEN
blog  serving      URHS    3  1234      1/2   1234  50M  http://127.0.0.1:8001
shop  backing-off  ----    -     -        -  12.3M    -  http://127.0.0.1:8001
  it exited with code 22 before it was ready
  backing off, try 4, next in 32 s
  | Traceback
  | ImportError: no module named 'x'\\x1b[31m
`,
  );
});

test("renderStatus() never exceeds 100 columns", () => {
  const text = renderStatus(
    sampleSnapshot(
      [
        sampleVassal({
          name: "n".repeat(128),
          state: "backing-off",
          generation: 100_000,
          pid: 4_194_304,
          rssBytes: 999 * 1024 ** 3,
          counters: { ...NO_TRAFFIC, requestsServed: 9e15 },
          listen: Array.from({ length: 9 }, (_, index) => `http://[fe80::1:2:3:${index}]:65535`),
          reason: "r".repeat(500),
          lastLines: ["l".repeat(500)],
        }),
      ],
      { refused: [{ file: "f".repeat(300), reason: "bad" }] },
    ),
    { style: PLAIN, details: true },
  );
  for (const line of text.split("\n")) assert.ok(line.length <= 100, line);
});

test("renderStatus() says so when there are no vassals", () => {
  assert.equal(renderStatus(sampleSnapshot([]), { style: PLAIN, details: false }), "no vassals\n");
});

test("styleFor() colours on a terminal only, and respects NO_COLOR", () => {
  assert.equal(styleFor({ isTTY: true }, {}), COLOURED);
  assert.equal(styleFor({ isTTY: true }, { NO_COLOR: "" }), COLOURED);
  assert.equal(styleFor({ isTTY: true }, { NO_COLOR: "1" }), PLAIN);
  assert.equal(styleFor({ isTTY: true }, { TERM: "dumb" }), PLAIN);
  assert.equal(styleFor({}, {}), PLAIN);
});

test("renderStatus() paints the state without moving a column", () => {
  const options = { details: false };
  const snapshot = sampleSnapshot([sampleVassal()]);
  const painted = renderStatus(snapshot, { ...options, style: COLOURED });
  assert.ok(painted.includes("\u001b[32mserving\u001b[0m"));
  // oxlint-disable-next-line no-control-regex -- the escape is what is taken away
  const plain = painted.replaceAll(/\u001b\[\d+m/g, "");
  assert.equal(plain, renderStatus(snapshot, { ...options, style: PLAIN }));
});
