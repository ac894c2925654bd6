import assert from "node:assert/strict";
import { test } from "node:test";
import { isRunning, parseProcessStat, processFacts } from "../../../src/platform/proc.ts";

test("parseProcessStat() is not fooled by a process name", () => {
  const rest = Array.from({ length: 18 }, (_, index) => index).join(" ");
  const facts = parseProcessStat(5, `5 (a) Z (b c) S 2 3 4 ${rest}`);
  assert.deepEqual(facts, {
    pid: 5,
    state: "S",
    parentPid: 2,
    groupId: 3,
    sessionId: 4,
    startTime: 15,
  });
});

test("processFacts() knows this process, and nothing of one that cannot exist", () => {
  const self = processFacts(process.pid);
  assert.equal(self?.parentPid, process.ppid);
  assert.equal(processFacts(2 ** 30), undefined);
  assert.equal(isRunning(process.pid, self?.startTime ?? 0), true);
  assert.equal(isRunning(process.pid, (self?.startTime ?? 0) + 1), false);
});
