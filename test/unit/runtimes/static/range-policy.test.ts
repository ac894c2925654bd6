/** Which parts of a file a Range header asks for (faults V56). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decideRanges } from "../../../../src/runtimes/static/range-policy.ts";

/** Header, size, and the ranges as [first, last]; "whole" and "unsatisfiable" as words. */
const CASES: readonly (readonly [
  header: string,
  size: number,
  expected: readonly (readonly [number, number])[] | "whole" | "unsatisfiable",
])[] = [
  ["bytes=0-0", 10, [[0, 0]]],
  ["bytes=2-4", 10, [[2, 4]]],
  ["bytes=2-", 10, [[2, 9]]],
  ["bytes=-3", 10, [[7, 9]]],
  ["bytes=-30", 10, [[0, 9]]],
  ["bytes=0-99", 10, [[0, 9]]],
  ["BYTES=0-1", 10, [[0, 1]]],
  [
    "bytes= 0-1 , 4-5 ,",
    10,
    [
      [0, 1],
      [4, 5],
    ],
  ],
  [
    "bytes=8-9,0-1",
    10,
    [
      [8, 9],
      [0, 1],
    ],
  ],
  ["bytes=0-1,99-", 10, [[0, 1]]],
  ["bytes=10-", 10, "unsatisfiable"],
  ["bytes=-0", 10, "unsatisfiable"],
  ["bytes=0-", 0, "unsatisfiable"],
  ["bytes=-1", 0, "unsatisfiable"],
  ["bytes=99999999999999999999999999-", 10, "unsatisfiable"],
  ["bytes=0-99999999999999999999999999", 10, [[0, 9]]],
  ["bytes=-99999999999999999999999999", 10, [[0, 9]]],
  ["bytes=-9223372036854775000,-9223372036854775000", 10, "whole"],
  ["bytes=4-2", 10, "whole"],
  ["bytes=", 10, "whole"],
  ["bytes=-", 10, "whole"],
  ["bytes=a-b", 10, "whole"],
  ["bytes=0-1;2-3", 10, "whole"],
  ["bytes=0--1", 10, "whole"],
  ["bytes=0x0-0x1", 10, "whole"],
  ["lines=0-1", 10, "whole"],
  ["bytes", 10, "whole"],
  ["bytes=0-5,3-7", 10, "whole"],
  ["bytes=0-4,5-9", 10, "whole"],
  ["bytes=0-0,0-0", 10, "whole"],
];

for (const [header, size, expected] of CASES) {
  test(`decideRanges() reads ${JSON.stringify(header)} of ${size} bytes as ${JSON.stringify(expected)}`, () => {
    const decision = decideRanges(header, size);
    if (decision.kind !== "parts") assert.equal(decision.kind, expected);
    else
      assert.deepEqual(
        decision.ranges.map(({ first, last }) => [first, last]),
        expected,
      );
  });
}

test("decideRanges() answers the range killer of CVE-2011-3192 with the whole file", () => {
  const killer = Array.from({ length: 1300 }, (_, index) => `5-${index}`).join(",");
  assert.equal(decideRanges(`bytes=0-,${killer}`, 10_000).kind, "whole");
});

test("decideRanges() takes 16 disjoint parts and not 17", () => {
  const parts = (count: number): string =>
    `bytes=${Array.from({ length: count }, (_, index) => `${index * 10}-${index * 10}`).join(",")}`;
  assert.equal(decideRanges(parts(16), 10_000).kind, "parts");
  assert.equal(decideRanges(parts(17), 10_000).kind, "whole");
});

test("decideRanges() without a header wants everything", () => {
  assert.equal(decideRanges(undefined, 10).kind, "whole");
});
