import assert from "node:assert/strict";
import { test } from "node:test";
import { DeadlineItem, DeadlineQueue } from "../../../src/runtimes/deadline-queue.ts";
import { VirtualTime } from "./pool/fake-world.ts";

class Item extends DeadlineItem {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

function queueOf(lengthMs: number): {
  time: VirtualTime;
  queue: DeadlineQueue<Item>;
  expired: string[];
} {
  const time = new VirtualTime();
  const expired: string[] = [];
  const queue = new DeadlineQueue<Item>({
    lengthMs,
    clock: time,
    timers: time,
    expire: (item) => expired.push(`${item.name}@${time.nowMs()}`),
  });
  return { time, queue, expired };
}

test("DeadlineQueue: expires each item at its own time, in order, with one timer", () => {
  const { time, queue, expired } = queueOf(100);
  queue.add(new Item("a"));
  time.advance(30);
  queue.add(new Item("b"));
  queue.add(new Item("c"));
  assert.equal(time.pending, 1);
  time.advance(200);
  assert.deepEqual(expired, ["a@100", "b@130", "c@130"]);
  assert.equal(time.pending, 0);
});

test("DeadlineQueue: an item that was removed never expires, wherever it stood", () => {
  const { time, queue, expired } = queueOf(100);
  const items = ["a", "b", "c", "d"].map((name) => new Item(name));
  for (const item of items) queue.add(item);
  for (const index of [1, 0, 3]) queue.remove(items[index]!);
  queue.remove(items[1]!);
  time.advance(500);
  assert.deepEqual(expired, ["c@100"]);
});

test("DeadlineQueue: adding again starts anew, and an item added by `expire` is kept", () => {
  const { time, queue, expired } = queueOf(100);
  const item = new Item("a");
  queue.add(item);
  time.advance(60);
  queue.add(item);
  time.advance(60);
  assert.deepEqual(expired, []);
  time.advance(40);
  assert.deepEqual(expired, ["a@160"]);
});

test("DeadlineQueue: length 0 means no deadline", () => {
  const { time, queue, expired } = queueOf(0);
  queue.add(new Item("a"));
  time.advance(1e9);
  assert.deepEqual(expired, []);
});
