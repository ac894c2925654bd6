import assert from "node:assert/strict";
import { test } from "node:test";
import { VARS_CACHE_MAX } from "../../../src/protocol/limits.ts";
import { cgiName, cgiNamesCached } from "../../../src/protocol/vars.ts";

test("cgiName() follows RFC 3875: HTTP_ before all but the two of the body", () => {
  for (const [name, variable] of [
    ["Host", "HTTP_HOST"],
    ["X-Forwarded-For", "HTTP_X_FORWARDED_FOR"],
    ["x-forwarded-for", "HTTP_X_FORWARDED_FOR"],
    ["Content-Type", "CONTENT_TYPE"],
    ["content-length", "CONTENT_LENGTH"],
    ["Content-Encoding", "HTTP_CONTENT_ENCODING"],
    ["A.b!", "HTTP_A.B!"],
  ] as const) {
    assert.equal(cgiName(name), variable);
    assert.equal(cgiName(name), variable, "from the cache");
  }
});

test("cgiName() keeps a bounded cache, whatever names clients invent", () => {
  for (let index = 0; index < VARS_CACHE_MAX * 3; index += 1) {
    assert.equal(cgiName(`X-${index}`), `HTTP_X_${index}`);
    assert.ok(cgiNamesCached() <= VARS_CACHE_MAX);
  }
  const cached = cgiNamesCached();
  cgiName(`X-${"y".repeat(1000)}`);
  assert.equal(cgiNamesCached(), cached);
});
