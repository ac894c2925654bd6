import assert from "node:assert/strict";
import { test } from "node:test";
import { isSameToken, randomToken } from "../../../../src/runtimes/python/token.ts";

test("randomToken: 48 hexadecimal digits, never the same ones", () => {
  const tokens = new Set(Array.from({ length: 50 }, randomToken));
  assert.equal(tokens.size, 50);
  for (const token of tokens) assert.match(token, /^[0-9a-f]{48}$/);
});

test("isSameToken: only the very same text is the token", () => {
  const token = randomToken();
  assert.equal(isSameToken(token, token), true);
  assert.equal(isSameToken(Buffer.from(token).toString(), token), true);
  for (const wrong of ["", token.slice(1), `${token}0`, token + token, `x${token.slice(1)}`]) {
    assert.equal(isSameToken(wrong, token), false, wrong);
  }
  assert.equal(isSameToken(`${token.slice(0, -1)}\u0100`, token), false);
});
