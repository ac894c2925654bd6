import assert from "node:assert/strict";
import { test } from "node:test";
import {
  stepWorker,
  type WorkerInput,
  type WorkerPhase,
} from "../../../../src/runtimes/pool/worker-machine.ts";

const PHASES: readonly WorkerPhase[] = [
  "starting",
  "serving",
  "retiring",
  "terminating",
  "killed",
  "gone",
];
const INPUTS: readonly WorkerInput[] = [
  "ready",
  "exited",
  "retire",
  "terminate",
  "kill",
  "timeout",
];

test("stepWorker: an exit ends every life exactly once", () => {
  for (const phase of PHASES) {
    const { phase: next, commands } = stepWorker(phase, "exited");
    assert.equal(next, "gone");
    assert.equal(commands.includes("reportGone"), phase !== "gone", phase);
  }
});

test("stepWorker: kill and timeouts of an end lead to SIGKILL", () => {
  for (const phase of ["starting", "serving", "retiring", "terminating"] as const) {
    assert.deepEqual(stepWorker(phase, "kill"), {
      phase: "killed",
      commands: ["disarm", "sendKill"],
    });
  }
  for (const phase of ["starting", "retiring", "terminating"] as const) {
    assert.ok(stepWorker(phase, "timeout").commands.includes("sendKill"), phase);
  }
});

test("stepWorker: no way leads back to an earlier phase", () => {
  for (const phase of PHASES) {
    for (const input of INPUTS) {
      const next = stepWorker(phase, input).phase;
      assert.ok(PHASES.indexOf(next) >= PHASES.indexOf(phase), `${phase} + ${input} = ${next}`);
    }
  }
});

test("stepWorker: whatever arms a timer has a timeout that moves on", () => {
  for (const phase of PHASES) {
    for (const input of INPUTS) {
      const { phase: next, commands } = stepWorker(phase, input);
      if (commands.some((command) => command.startsWith("arm"))) {
        assert.notEqual(stepWorker(next, "timeout").phase, next);
      }
    }
  }
});
