import assert from "node:assert/strict";
import { test } from "node:test";
import { StartFailure } from "../../../../src/runtimes/runtime.ts";
import { fakePool, runningPool } from "./fake-world.ts";

const LIMITS = { maxRequests: 0, maxLifetimeMs: 0, maxRssBytes: 0 };
const kinds = (log: readonly { readonly kind: string }[]): string[] => log.map((each) => each.kind);

test("WorkerPool: start resolves only when every worker is ready", async () => {
  const world = fakePool();
  let resolved = false;
  const started = world.pool.start().then(() => (resolved = true));
  assert.deepEqual(
    world.spawned.map((worker) => worker.id),
    [1, 2],
  );
  world.worker(0).events.ready();
  await Promise.resolve();
  assert.equal(resolved, false);
  world.worker(1).events.ready();
  await started;
});

test("WorkerPool: start resolves earlier when fewer are enough, and the others are still brought up", async () => {
  const world = fakePool({ workers: 3, enoughToStart: 1 });
  const started = world.pool.start();
  world.worker(1).events.ready();
  await started;
  world.worker(0).exit(1);
  assert.equal(world.spawned.length, 4);
});

test("WorkerPool: start fails when a first worker dies before it is ready", async () => {
  const world = fakePool();
  const started = world.pool.start();
  world.worker(0).exit(3);
  await assert.rejects(started, (error) => {
    assert.ok(error instanceof StartFailure);
    assert.match(error.message, /worker 1: it died with exit code 3 before it was ready/);
    return true;
  });
});

test("WorkerPool: start fails when a worker is not ready in time, and the worker is killed", async () => {
  const world = fakePool({ workers: 1 });
  const started = world.pool.start();
  world.time.advance(10_000);
  assert.deepEqual(world.worker(0).told, ["SIGKILL"]);
  world.worker(0).exit(undefined, "SIGKILL");
  await assert.rejects(started, StartFailure);
});

test("WorkerPool: a worker that dies is replaced at once under its number", async () => {
  const world = await runningPool();
  world.time.advance(5000);
  world.worker(1).exit(undefined, "SIGKILL");
  assert.equal(world.spawned.length, 3);
  assert.equal(world.worker(2).id, 2);
  world.worker(2).events.ready();
  assert.equal(world.pool.snapshots()[1]?.respawns, 1);
  assert.match(world.log.find((each) => each.kind === "worker-died")?.message ?? "", /by SIGKILL/);
});

test("WorkerPool: a worker that keeps dying before ready is tried again with a growing delay, for ever", async () => {
  const world = await runningPool({ workers: 1 });
  world.time.advance(5000);
  world.worker(0).exit(1);
  world.worker(1).exit(1);
  assert.equal(world.spawned.length, 3, "the first early death costs no delay");
  world.worker(2).exit(1);
  assert.equal(world.spawned.length, 3);
  world.time.advance(99);
  assert.equal(world.spawned.length, 3);
  world.time.advance(1);
  assert.equal(world.spawned.length, 4);
  for (let turn = 0; turn < 20; turn += 1) {
    world.spawned.at(-1)?.exit(1);
    world.time.advance(5000);
  }
  assert.equal(world.spawned.length, 24);
});

test("WorkerPool: max-requests brings the replacement first and retires the old worker after it", async () => {
  const world = await runningPool({ limits: { ...LIMITS, maxRequests: 10 } });
  const old = world.worker(0);
  old.served = 10;
  world.pool.noteProgress(old);
  assert.equal(world.spawned.length, 3);
  assert.deepEqual(old.told, [], "the old one works on until the replacement is ready");
  world.worker(2).events.ready();
  assert.deepEqual(old.told, ["retire"]);
  old.exit(0);
  assert.ok(kinds(world.log).includes("worker-recycled"));
  assert.ok(!kinds(world.log).includes("worker-died"));
});

test("WorkerPool: at most one worker is being recycled", async () => {
  const world = await runningPool({ limits: { ...LIMITS, maxRequests: 10 } });
  for (const worker of world.spawned.slice()) {
    worker.served = 50;
    world.pool.noteProgress(worker);
  }
  assert.equal(world.spawned.length, 3);
  world.worker(2).events.ready();
  assert.equal(world.spawned.length, 3, "the first one has not ended yet");
  world.worker(0).exit(0);
  assert.equal(world.spawned.length, 4);
  assert.equal(world.worker(3).id, 2);
});

test("WorkerPool: a retiring worker that does not end is killed after drain-timeout", async () => {
  const world = await runningPool({ workers: 1, limits: { ...LIMITS, maxRequests: 1 } });
  world.worker(0).served = 1;
  world.pool.noteProgress(world.worker(0));
  world.worker(1).events.ready();
  world.time.advance(19_999);
  assert.deepEqual(world.worker(0).told, ["retire"]);
  world.time.advance(1);
  assert.deepEqual(world.worker(0).told, ["retire", "SIGKILL"]);
});

test("WorkerPool: max-lifetime and max-rss recycle", async () => {
  const aged = await runningPool({ workers: 1, limits: { ...LIMITS, maxLifetimeMs: 60_000 } });
  aged.time.advance(59_999);
  assert.equal(aged.spawned.length, 1);
  aged.time.advance(1);
  assert.equal(aged.spawned.length, 2);

  const grown = await runningPool({ workers: 1, limits: { ...LIMITS, maxRssBytes: 1000 } });
  grown.worker(0).rssBytes = 999;
  grown.time.advance(3000);
  assert.equal(grown.spawned.length, 1);
  grown.worker(0).rssBytes = 1000;
  grown.time.advance(1000);
  assert.equal(grown.spawned.length, 2);
});

test("WorkerPool: replaceNow kills the stuck worker once its replacement is ready", async () => {
  const world = await runningPool({ workers: 1 });
  world.pool.replaceNow(world.worker(0), "deadline");
  assert.deepEqual(world.worker(0).told, []);
  world.worker(1).events.ready();
  assert.deepEqual(world.worker(0).told, ["SIGKILL"]);
});

test("WorkerPool: replaceNow with grace lets other requests finish, bounded", async () => {
  const world = await runningPool({ workers: 1 });
  world.pool.replaceNow(world.worker(0), "deadline", 500);
  world.worker(1).events.ready();
  assert.deepEqual(world.worker(0).told, ["retire"]);
  world.time.advance(500);
  assert.deepEqual(world.worker(0).told, ["retire", "SIGKILL"]);
});

test("WorkerPool: replaceNow takes a worker that is being recycled already", async () => {
  const world = await runningPool({ workers: 1, limits: { ...LIMITS, maxRequests: 1 } });
  world.worker(0).served = 1;
  world.pool.noteProgress(world.worker(0));
  world.pool.replaceNow(world.worker(0), "deadline");
  assert.equal(world.spawned.length, 2, "one replacement is enough");
  world.worker(1).events.ready();
  assert.deepEqual(world.worker(0).told, ["SIGKILL"]);
});

test("WorkerPool: while draining nothing is recycled but a dead worker is replaced", async () => {
  const world = await runningPool({ limits: { ...LIMITS, maxRequests: 1 } });
  world.pool.beginDrain();
  world.worker(0).served = 5;
  world.pool.noteProgress(world.worker(0));
  assert.equal(world.spawned.length, 2);
  world.worker(0).exit(undefined, "SIGSEGV");
  assert.equal(world.spawned.length, 3);
});

test("WorkerPool: stop sends SIGTERM, then SIGKILL to those that stay, and leaves no timer", async () => {
  const world = await runningPool();
  let stopped = false;
  const stopping = world.pool.stop().then(() => (stopped = true));
  world.worker(0).exit(0);
  world.time.advance(3000);
  assert.deepEqual(world.worker(1).told, ["SIGTERM", "SIGKILL"]);
  await Promise.resolve();
  assert.equal(stopped, false);
  world.worker(1).exit(undefined, "SIGKILL");
  await stopping;
  assert.equal(world.spawned.length, 2, "nothing is respawned while stopping");
  assert.equal(world.time.pending, 0);
});

test("WorkerPool: snapshots tell busy from idle and show retiring workers", async () => {
  const world = await runningPool({ workers: 2 });
  world.worker(0).busy = 1;
  world.worker(0).rssBytes = 4096;
  world.pool.replaceNow(world.worker(1), "asked", 100);
  world.worker(2).events.ready();
  assert.deepEqual(
    world.pool.snapshots().map((each) => [each.id, each.state, each.rssBytes]),
    [
      [1, "busy", 4096],
      [2, "retiring", 0],
      [2, "idle", 0],
    ],
  );
});
