/** What people are told about a life. */
import assert from "node:assert/strict";
import test from "node:test";
import { newLife } from "../../../src/emperor/vassal-life.ts";
import type { VassalEvent, VassalLife } from "../../../src/emperor/vassal-life.ts";
import { nextDeadlineMs } from "../../../src/emperor/deadline-machine.ts";
import { step } from "../../../src/emperor/vassal-machine.ts";
import { reasonOf, stateOf, verdictOf } from "../../../src/emperor/vassal-verdict.ts";
import { sampleConfig } from "../../kit/vassal-config.ts";

const CONTEXT = { nowMs: 1000, wallMs: 1000, random: 0.5 };
const config = sampleConfig();

function lived(...events: readonly VassalEvent[]): VassalLife {
  const first = newLife("blog", { nextGeneration: 1, stopMark: false });
  return events.reduce((life, event) => step(life, event, CONTEXT).life, first);
}

function boot(generation: number, hash: string): readonly VassalEvent[] {
  return [
    { type: "fileSeen", hash, config, trigger: "changed" },
    { type: "slotGranted", generation },
    { type: "spawned", generation, pid: 100 + generation },
  ];
}

function accept(generation: number): readonly VassalEvent[] {
  return [
    { type: "readyReported", generation },
    { type: "acceptingReported", generation },
  ];
}

const FAILED = [
  ...boot(1, "h1"),
  ...accept(1),
  ...boot(2, "h2").slice(0, 2),
  { type: "spawnFailed", generation: 2, reason: "Cannot listen on http://127.0.0.1:80" },
] as const satisfies readonly VassalEvent[];

test("reasonOf() says how to try a failed deploy again, which nothing does by itself while the old one serves", () => {
  const life = lived(...FAILED);
  assert.equal(stateOf(life), "serving");
  const told =
    "the deploy of generation 2 failed: Cannot listen on http://127.0.0.1:80; generation 1 serves on; touch the file to try again";
  assert.equal(reasonOf(life, 1000), told);
  assert.deepEqual(verdictOf(life, 1000), { ok: false, message: told });
  assert.equal(nextDeadlineMs(life), undefined, "no retry is planned");
});

test("verdictOf() is open while an older generation may accept, and good afterwards", () => {
  const both = lived(...boot(1, "h1"), ...accept(1), ...boot(2, "h2"), ...accept(2));
  assert.equal(stateOf(both), "deploying");
  assert.equal(verdictOf(both, 1000), undefined);
  const { life } = step(both, { type: "releasedReported", generation: 1 }, CONTEXT);
  assert.deepEqual(verdictOf(life, 1000), { ok: true, message: "generation 2 is live" });
  assert.equal(reasonOf(life, 1000), "");
});
