/** Rounds of questions: shared, never earlier than asked for, bounded. */
import assert from "node:assert/strict";
import test from "node:test";
import { FreshReports } from "../../../src/emperor/fresh-reports.ts";

class Timer {
  fire: () => void = () => undefined;
  cancelled = 0;

  after(_delayMs: number, callback: () => void): () => void {
    this.fire = callback;
    return () => {
      this.cancelled += 1;
    };
  }
}

function world(): {
  readonly timer: Timer;
  readonly reports: FreshReports;
  readonly rounds: { resolve(): void }[];
} {
  const timer = new Timer();
  const rounds: PromiseWithResolvers<void>[] = [];
  const reports = new FreshReports(timer, () => {
    const round = Promise.withResolvers<void>();
    rounds.push(round);
    return [round.promise];
  });
  return { timer, reports, rounds };
}

test("refresh() resolves with the last answer and stops its timer", async () => {
  const { timer, reports, rounds } = world();
  const done = reports.refresh();
  rounds[0]?.resolve();
  await done;
  assert.equal(timer.cancelled, 1);
});

test("refresh() resolves without the answers of the silent", async () => {
  const { timer, reports } = world();
  const done = reports.refresh();
  timer.fire();
  await done;
});

test("refresh() has at most one round under way and one waiting, and nobody gets answers to an earlier question", async () => {
  const { reports, rounds } = world();
  const first = reports.refresh();
  const late = Array.from({ length: 100 }, () => reports.refresh());
  let done = false;
  void Promise.all(late).then(() => (done = true));
  rounds[0]?.resolve();
  await first;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(rounds.length, 2);
  assert.equal(done, false);
  rounds[1]?.resolve();
  await Promise.all(late);
  await Promise.all([reports.refresh(), Promise.resolve().then(() => rounds[2]?.resolve())]);
  assert.equal(rounds.length, 3);
});
