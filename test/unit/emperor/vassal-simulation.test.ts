/** Seeded random stories of one vassal; a failure prints its seed and its last events. */
import assert from "node:assert/strict";
import test from "node:test";
import { VassalSimulation } from "./vassal-simulation.ts";

const SEEDS = Number(process.env["TSGI_SIMULATION_SEEDS"] ?? 300);
const STEPS = 150;

test("step() keeps its invariants in random stories, and every story ends well when the world calms down", () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const world = new VassalSimulation(seed);
    try {
      for (let count = 0; count < STEPS && !world.isGone; count += 1) world.chaos();
      world.calm = true;
      if (world.isGone) {
        assert.equal(world.processes.size, 0, "nothing runs when it is gone");
        continue;
      }
      settle(world);
      if (world.isGone) continue;
      assert.equal(world.life.phase, "serving");
      assert.equal(world.life.leaving.length, 0, "old generations are gone");
      assert.equal(world.processes.size, 1, "exactly one process is left");
      assert.equal(world.slots.size, 0, "every place in the pool was given back");
      world.send({ type: "shutdownAsked" });
      world.send({ type: "hurryAsked" });
      world.advance(120_000);
      assert.equal(world.life.phase, "gone");
      assert.equal(world.processes.size, 0);
      const numbers = Array.from({ length: world.life.nextGeneration - 1 }, (_, at) => at + 1);
      assert.deepEqual(
        [...world.receipts.keys()].sort((a, b) => a - b),
        numbers,
        "every generation has a result",
      );
    } catch (error) {
      throw new Error(`seed ${seed}\n${world.tail()}`, { cause: error });
    }
  }
});

/** The file is fine, the person wants it to run, and everything has all the time it needs. */
function settle(world: VassalSimulation): void {
  world.advance(200_000);
  if (world.isGone) return;
  world.send({ type: "startAsked" });
  world.advance(200_000);
  // A stop that was under way when "start" came has won: say it again.
  if (world.life.phase === "stopped") world.send({ type: "startAsked" });
  world.advance(200_000);
}

test("step() tells the same story for the same seed", () => {
  const run = (): string => {
    const world = new VassalSimulation(42);
    for (let count = 0; count < 50; count += 1) world.chaos();
    return world.story.join("\n");
  };
  assert.equal(run(), run());
});

test("step() boots at most one candidate for a storm of touches, and the last content wins", () => {
  const world = new VassalSimulation(7);
  world.calm = true;
  world.advance(10_000);
  const before = world.spawns;
  for (let count = 0; count < 10_000; count += 1) {
    const { desired } = world.life;
    assert.ok(desired);
    world.send({
      type: "fileSeen",
      hash: `storm${count}`,
      config: desired.config,
      trigger: "changed",
    });
    world.advance(1);
  }
  world.advance(60_000);
  assert.equal(world.life.current?.desired.hash, "storm9999");
  // 10 s of storm with boots of up to 3 s: one after the other, never beside each other.
  assert.ok(world.spawns - before < 100, `${world.spawns - before} spawns`);
});
