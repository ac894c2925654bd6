/** Which file a request target names: nothing outside the root, decoded once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isHidden, mapTarget, slashLocation } from "../../../../src/runtimes/static/path-policy.ts";

/** Target, and the status that refuses it (faults V1, V25, V57, F12). */
const LYING: readonly (readonly [target: string, status: 400 | 404])[] = [
  ["/../etc/passwd", 400],
  ["/a/../../etc/passwd", 400],
  ["/a/..", 400],
  ["/.", 400],
  ["/./a", 400],
  ["/%2e%2e/etc/passwd", 400],
  ["/%2E%2e/etc/passwd", 400],
  ["/.%2e/etc/passwd", 400],
  ["/cgi-bin/.%2e/%2e%2e/etc/passwd", 400],
  ["/..%2fetc/passwd", 404],
  ["/%2e%2e%2fetc%2fpasswd", 404],
  ["/a%2Fb", 404],
  ["/..\\etc", 404],
  ["/..%5cetc", 404],
  ["/%5C%5Chost/share", 404],
  ["/a%00.html", 400],
  ["/a%0a", 400],
  ["/a%7f", 400],
  ["/%c0%ae%c0%ae/etc/passwd", 400],
  ["/%e0%80%ae", 400],
  ["/%c0%af", 400],
  ["/%ed%a0%80", 400],
  ["/%ff", 400],
  ["/%e4", 400],
  ["/%", 400],
  ["/%2", 400],
  ["/%zz", 400],
  ["/%u002e%u002e/etc", 400],
  ["/caf\u00e9", 400],
  ["*", 400],
  ["", 400],
  ["a", 400],
  ["http://host/a", 400],
  [`/${"x".repeat(256)}`, 404],
  [`/${"x/".repeat(4000)}`, 404],
];

for (const [target, status] of LYING) {
  test(`mapTarget() refuses ${JSON.stringify(target.slice(0, 40))} with ${status}`, () => {
    const mapped = mapTarget(target);
    assert.equal(mapped.kind, "refused");
    assert.equal(mapped.kind === "refused" && mapped.status, status);
  });
}

test("mapTarget() decodes once: a double encoding is a name with a percent sign", () => {
  assert.deepEqual(mapTarget("/%252e%252e/x"), {
    kind: "path",
    segments: ["%2e%2e", "x"],
    directory: false,
    query: "",
  });
});

test("mapTarget() takes names apart, keeps the query and sees the trailing slash", () => {
  assert.deepEqual(mapTarget("//a%20b///c%C3%A9/?x=/../%2e#f"), {
    kind: "path",
    segments: ["a b", "cé"],
    directory: true,
    query: "?x=/../%2e",
  });
  assert.deepEqual(mapTarget("/"), { kind: "path", segments: [], directory: true, query: "" });
});

test("mapTarget() leaves names alone that only look like dots", () => {
  assert.deepEqual(mapTarget("/.../..a/a.."), {
    kind: "path",
    segments: ["...", "..a", "a.."],
    directory: false,
    query: "",
  });
});

test("slashLocation() is always a path of this host", () => {
  for (const target of ["//evil.example", "///evil.example/x", "/%20/evil", "//evil@host"]) {
    const mapped = mapTarget(target);
    assert.ok(mapped.kind === "path");
    assert.match(slashLocation(mapped.segments, mapped.query), /^\/[^/\\]/);
  }
  assert.equal(slashLocation(["a b", "ü"], "?q=1"), "/a%20b/%C3%BC/?q=1");
});

test("slashLocation() carries no byte that ends a header line", () => {
  assert.doesNotMatch(slashLocation(["a\r\nb"], "?x=\r\ny"), /[\r\n]/);
});

test("isHidden() spares .well-known at the top alone", () => {
  assert.equal(isHidden([".well-known", "acme-challenge", "x"]), false);
  assert.equal(isHidden(["a", ".well-known"]), true);
  assert.equal(isHidden([".git", "config"]), true);
  assert.equal(isHidden(["a", ".env"]), true);
  assert.equal(isHidden([".well-known", ".env"]), true);
  assert.equal(isHidden(["a.b", "c."]), false);
});
