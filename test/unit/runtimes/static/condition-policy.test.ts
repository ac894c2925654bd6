/** Conditional requests by the order of RFC 9110 §13.2.2. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateConditions } from "../../../../src/runtimes/static/condition-policy.ts";

const AT = "Sun, 06 Nov 1994 08:49:37 GMT";
const BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT";
const AFTER = "Sun, 06 Nov 1994 08:49:38 GMT";
const STRONG = { etag: '"v1"', lastModifiedMs: Date.parse(AT) };
const WEAK = { etag: 'W/"v1"', lastModifiedMs: Date.parse(AT) };

/** Outcome words: ok, ok-whole (Range ignored), 304, 412. */
const CASES: readonly (readonly [headers: readonly string[], strong: string, weak: string])[] = [
  [[], "ok", "ok"],
  [["If-Match", '"v1"'], "ok", "412"],
  [["If-Match", '"v0", "v1"'], "ok", "412"],
  [["If-Match", '"v0"', "if-match", '"v1"'], "ok", "412"],
  [["If-Match", 'W/"v1"'], "412", "412"],
  [["If-Match", "*"], "ok", "ok"],
  [["If-Match", '"v0"'], "412", "412"],
  [["If-Match", '"v1"', "If-Unmodified-Since", BEFORE], "ok", "412"],
  [["If-Unmodified-Since", BEFORE], "412", "412"],
  [["If-Unmodified-Since", AT], "ok", "ok"],
  [["If-Unmodified-Since", "yesterday"], "ok", "ok"],
  [["If-None-Match", '"v1"'], "304", "304"],
  [["If-None-Match", 'W/"v1"'], "304", "304"],
  [["If-None-Match", '"a,b", "v1"'], "304", "304"],
  [["If-None-Match", "*"], "304", "304"],
  [["If-None-Match", '"v0"', "If-Modified-Since", AFTER], "ok", "ok"],
  [["If-None-Match", "v1"], "ok", "ok"],
  [["If-Modified-Since", AT], "304", "304"],
  [["If-Modified-Since", AFTER], "304", "304"],
  [["If-Modified-Since", BEFORE], "ok", "ok"],
  [["If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT"], "304", "304"],
  [["If-Modified-Since", "Sun Nov  6 08:49:37 1994"], "304", "304"],
  [["If-Modified-Since", "784111777"], "ok", "ok"],
  [["If-Match", '"v0"', "If-None-Match", '"v1"'], "412", "412"],
  [["If-Range", '"v1"'], "ok", "ok-whole"],
  [["If-Range", 'W/"v1"'], "ok-whole", "ok-whole"],
  [["If-Range", '"v0"'], "ok-whole", "ok-whole"],
  [["If-Range", AT], "ok", "ok-whole"],
  [["If-Range", BEFORE], "ok-whole", "ok-whole"],
  [["If-Range", AFTER], "ok-whole", "ok-whole"],
];

for (const [headers, strong, weak] of CASES) {
  test(`evaluateConditions() of ${JSON.stringify(headers)} is ${strong}, for a weak tag ${weak}`, () => {
    assert.equal(word(headers, STRONG), strong);
    assert.equal(word(headers, WEAK), weak);
  });
}

function word(headers: readonly string[], facts: typeof STRONG): string {
  const condition = evaluateConditions(headers, facts);
  if (condition.kind === "failed") return "412";
  if (condition.kind === "notModified") return "304";
  return condition.rangeAllowed ? "ok" : "ok-whole";
}
