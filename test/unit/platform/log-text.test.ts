import assert from "node:assert/strict";
import { test } from "node:test";
import { renderLogLine } from "../../../src/platform/log-text.ts";

test("renderLogLine() shows time, level, vassal, sentence and fields", () => {
  const json = `{"level":"info","time":"T","vassal":"blog","generation":3,"pid":7,"seq":9,"msg":"live"}`;
  assert.equal(renderLogLine(json), "T info  blog#3: live (pid=7)\n");
});

test("renderLogLine() lets nothing forge a line or steer a terminal", () => {
  const msg = "a\nb\u001b[2Jc\u2028d";
  const line = renderLogLine(JSON.stringify({ level: "warn", time: "T", msg }));
  assert.equal(line, "T warn  a\\x0ab\\x1b[2Jc\\u2028d\n");
});

test("renderLogLine() shows what is not JSON as it is", () => {
  assert.equal(renderLogLine("plain\n"), "plain\n");
});
