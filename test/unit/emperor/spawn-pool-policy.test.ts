import assert from "node:assert/strict";
import test from "node:test";
import {
  askPlace,
  grantPlaces,
  newSpawnPool,
  PLACE_MAX_MS,
  withoutKey,
} from "../../../src/emperor/spawn-pool-policy.ts";
import type { SpawnPool } from "../../../src/emperor/spawn-pool-policy.ts";

function withBoots(count: number): SpawnPool {
  let pool = newSpawnPool(4);
  for (let index = 0; index < count; index += 1) pool = askPlace(pool, `boot${index}`, "boot", 0);
  return pool;
}

test("grantPlaces() grants in the order of asking, without any delay, up to the size", () => {
  const { granted, againAtMs } = grantPlaces(withBoots(6), 0);
  assert.deepEqual(granted, ["boot0", "boot1", "boot2", "boot3"]);
  assert.equal(againAtMs, PLACE_MAX_MS);
});

test("grantPlaces() passes a place on as soon as it is given back", () => {
  const { pool } = grantPlaces(withBoots(6), 0);
  assert.deepEqual(grantPlaces(withoutKey(pool, "boot2"), 10).granted, ["boot4"]);
});

test("grantPlaces() does not let boots hold up a deploy or a person", () => {
  const { pool } = grantPlaces(withBoots(100), 0);
  assert.deepEqual(grantPlaces(askPlace(pool, "deploy", "urgent", 5), 5).granted, ["deploy"]);
});

test("grantPlaces() stops counting a boot that hangs", () => {
  const { pool } = grantPlaces(withBoots(8), 0);
  assert.deepEqual(grantPlaces(pool, PLACE_MAX_MS - 1).granted, []);
  assert.deepEqual(grantPlaces(pool, PLACE_MAX_MS).granted, ["boot4", "boot5", "boot6", "boot7"]);
});

test("withoutKey() also takes somebody out of the queue", () => {
  const pool = withoutKey(withBoots(5), "boot0");
  assert.deepEqual(grantPlaces(pool, 0).granted, ["boot1", "boot2", "boot3", "boot4"]);
  assert.equal(withoutKey(pool, "stranger"), pool);
});

test("grantPlaces() wakes nobody when nobody waits", () => {
  assert.equal(grantPlaces(withBoots(2), 0).againAtMs, undefined);
});
