import assert from "node:assert/strict";
import { test } from "node:test";
import { errorPage } from "../../../src/server/error-page.ts";

test("errorPage() comes in the form the client accepts, text when unsure", () => {
  for (const [accept, type] of [
    [undefined, "text/plain"],
    ["*/*", "text/plain"],
    ["image/png", "text/plain"],
    ["text/html,application/xhtml+xml,application/json", "text/html"],
    ["application/json, text/html", "application/json"],
    ["application/problem+json", "application/json"],
    ["TEXT/HTML", "text/html"],
    ["text/plain, text/html", "text/plain"],
  ] as const) {
    assert.match(errorPage(502, accept).lines, new RegExp(`^Content-Type: ${type}`));
  }
});

test("errorPage() has a fixed body: the Accept header is never in it", () => {
  const pages = new Set(
    ["text/html", "text/html;<script>", "text/html;x=1"].map(
      (accept) => errorPage(400, accept).body,
    ),
  );
  assert.equal(pages.size, 1);
  assert.match(errorPage(400, "text/html").body, /^<!doctype html>\n[^]*<h1>400 Bad Request<\/h1>/);
  assert.deepEqual(JSON.parse(errorPage(504, "application/json").body), {
    status: 504,
    error: "Gateway Timeout",
  });
  assert.equal(errorPage(599, undefined).body, "599 Error\n");
});
