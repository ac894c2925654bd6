/** What `wait` and `status` say about warnings of a vassal file. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PLAIN } from "../../../src/cli/render/style.ts";
import { renderStatus } from "../../../src/cli/render/status-table.ts";
import { renderWait } from "../../../src/cli/render/wait-text.ts";
import { sampleSnapshot, sampleVassal } from "../../kit/sample-snapshot.ts";

const TWO = ["/v/blog.yaml:3:1: 'master' is ignored", "/v/blog.yaml:4:1: 'vacuum' is ignored"];

function waited(warnings: readonly string[]): string {
  const result = { name: "blog", ok: true, message: "generation 1 is live", lastLines: [] };
  const results = [{ ...result, warnings, receipt: null }];
  return renderWait({ outcome: "live", results, pending: [] }, "60s");
}

test("renderWait() tells the warnings of a file in one line after the result", () => {
  assert.equal(waited([]), "blog: generation 1 is live\n");
  assert.equal(
    waited(TWO.slice(0, 1)),
    "blog: generation 1 is live\nblog: 1 warning: /v/blog.yaml:3:1: 'master' is ignored\n",
  );
  assert.equal(
    waited(TWO).split("\n")[1],
    "blog: 2 warnings: /v/blog.yaml:3:1: 'master' is ignored (all of them: 'tsgi-emperor check')",
  );
});

test("renderStatus() tells the warnings of a file in one line below its row", () => {
  const snapshot = sampleSnapshot([sampleVassal({ warnings: TWO.slice(0, 1) })]);
  const lines = renderStatus(snapshot, { style: PLAIN, details: false }).split("\n");
  assert.equal(lines[2], "  1 warning: /v/blog.yaml:3:1: 'master' is ignored");
});
