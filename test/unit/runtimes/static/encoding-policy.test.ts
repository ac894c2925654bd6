/** Which precompressed neighbour a client takes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptedNeighbours } from "../../../../src/runtimes/static/encoding-policy.ts";

const CASES: readonly (readonly [header: string | undefined, codings: string])[] = [
  [undefined, ""],
  ["", ""],
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["gzip, deflate, br, zstd", "br zstd gzip"],
  ["GZIP;Q=0.5 , br;q=0.4", "gzip br"],
  ["br;q=0, gzip", "gzip"],
  ["br;q=0.000", ""],
  ["*", "br zstd gzip"],
  ["*;q=0.5, br;q=0", "zstd gzip"],
  ["identity, gzip;q=0.5", ""],
  ["identity;q=0.5, gzip", "gzip"],
  ["gzip;q=2", ""],
  ["gzip;q=-1", ""],
  ["gzip;q=1.0000", ""],
  ["gzip;level=9", ""],
  [`${"x,".repeat(2000)}gzip`, ""],
];

for (const [header, codings] of CASES) {
  test(`acceptedNeighbours() of ${JSON.stringify(header?.slice(0, 40))} is "${codings}"`, () => {
    assert.equal(
      acceptedNeighbours(header)
        .map(({ coding }) => coding)
        .join(" "),
      codings,
    );
  });
}
