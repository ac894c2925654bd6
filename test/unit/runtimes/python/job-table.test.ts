import assert from "node:assert/strict";
import { test } from "node:test";
import { JobTable } from "../../../../src/runtimes/python/job-table.ts";

const job = (id: number): { readonly id: number } => ({ id });

test("JobTable: finds what it holds and nothing else", () => {
  const table = new JobTable();
  const first = job(1);
  table.add(first);
  assert.equal(table.get(1), first);
  assert.equal(table.get(2), undefined);
  assert.equal(table.get(1 + 1024), undefined, "the same slot is another id");
  table.delete(job(1));
  assert.equal(table.size, 1, "another request of that number is not the one");
  table.delete(first);
  assert.equal(table.get(1), undefined);
  assert.equal(table.size, 0);
});

test("JobTable: a request that many later ones overtake stays", () => {
  const table = new JobTable();
  const slow = job(7);
  table.add(slow);
  for (let id = 8; id < 10_000; id += 1) {
    const quick = job(id);
    table.add(quick);
    assert.equal(table.get(id), quick);
    table.delete(quick);
    assert.equal(table.get(7), slow);
  }
  assert.equal(table.size, 1);
  table.delete(slow);
  assert.equal(table.get(7), undefined);
  assert.equal(table.size, 0);
});

test("JobTable.takeAll: in the order of their ids, and it is empty then", () => {
  const table = new JobTable();
  const jobs = [1, 5, 1029, 2053, 1024, 1023].map(job);
  for (const each of jobs) table.add(each);
  assert.equal(table.size, 6);
  assert.deepEqual(
    table.takeAll().map(({ id }) => id),
    [1, 5, 1023, 1024, 1029, 2053],
  );
  assert.equal(table.size, 0);
  assert.deepEqual(table.takeAll(), []);
});
