import assert from "node:assert/strict";
import { test } from "node:test";
import { createRequestLog, jsonLine } from "../../../src/server/request-log.ts";
import type { LogEntry } from "../../../src/server/request-log.ts";
import { missingCases, naughtyStrings } from "../../kit/shared-cases.ts";

const ENTRY: LogEntry = {
  method: "GET",
  target: "/a?b",
  minor: 1,
  headers: ["Host", "h", "User-Agent", "agent", "Referer", "http://r/", "X-Trace", "t1"],
  host: "h",
  address: "192.0.2.1",
  status: 200,
  bodyBytes: 12,
  requestBytes: 3,
  durationMs: 1.2345,
  aborted: false,
};

function lineOf(format: string, entry: LogEntry = ENTRY): string {
  const lines: string[] = [];
  createRequestLog(format, (line) => lines.push(line))?.(entry);
  assert.equal(lines.length, 1);
  return lines[0] ?? "";
}

test("createRequestLog() makes no writer for none", () => {
  assert.equal(
    createRequestLog("none", () => assert.fail()),
    undefined,
  );
});

test("createRequestLog() writes the common and combined formats", () => {
  assert.match(
    lineOf("common"),
    /^192\.0\.2\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/a\?b HTTP\/1\.1" 200 12$/,
  );
  assert.match(lineOf("combined"), / 200 12 "http:\/\/r\/" "agent"$/);
});

test("createRequestLog() fills in uWSGI's fields, and - for what it does not know", () => {
  assert.equal(
    lineOf(
      "%(addr) %(method) %(uri) => %(status) in %(msecs)ms/%(micros)us %(rsize)/%(cl) %(host) %(var.HTTP_X_TRACE) %(var.HTTP_NONE) %(what) 100%",
    ),
    "192.0.2.1 GET /a?b => 200 in 1ms/1235us 12/3 h t1 - - 100%",
  );
});

test("createRequestLog() escapes what a client could forge a line with", () => {
  const headers = ["User-Agent", '" 200 0\\\t\x1b\xff\x85'];
  assert.equal(
    lineOf("%(uagent)", { ...ENTRY, headers }),
    String.raw`\x22 200 0\x5C\x09\x1B\xFF\x85`,
  );
});

test("jsonLine() decodes UTF-8, and stays one line of JSON without it", () => {
  const target = Buffer.from("/\u2713\u2028\u202e").toString("latin1") + "\xff\x00\n";
  const line = jsonLine({ ...ENTRY, target, aborted: true }, 0);
  assert.doesNotMatch(line, /[\p{Cc}\u2028\u202e]/u);
  const parsed = JSON.parse(line) as Record<string, unknown>;
  assert.equal(parsed["target"], "/\u2713\u2028\u202e\ufffd\0\n");
  assert.equal(parsed["time"], "1970-01-01T00:00:00.000Z");
  assert.equal(parsed["durationMs"], 1.235);
  assert.equal(parsed["aborted"], true);
});

test(
  "request log lines stay one line of valid UTF-8 for every naughty string",
  { skip: missingCases("naughty-strings") },
  () => {
    const strings = naughtyStrings();
    assert.ok(strings.length > 500);
    for (const text of strings) {
      const latin1 = Buffer.from(text).toString("latin1");
      const entry = { ...ENTRY, target: latin1, headers: ["User-Agent", latin1], host: latin1 };
      assert.match(lineOf("combined", entry), /^[ -~]+$/);
      const json = lineOf("json", entry);
      assert.ok(json.isWellFormed() && !/[\r\n]/.test(json));
      assert.equal((JSON.parse(json) as { target: string }).target, text.toWellFormed());
    }
  },
);
