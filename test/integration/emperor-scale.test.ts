/** Many vassals at once, through the real build; each test prints its figures as diagnostics. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { JournalEvent, VassalSnapshot } from "../../src/stats/emperor-snapshot.ts";
import { eventually } from "../kit/eventually.ts";
import { ask } from "../kit/http.ts";
import { allProcesses } from "../kit/processes.ts";
import { TestEmperor } from "../kit/start-emperor.ts";

/** A fleet of static sites that is there before its emperor; resolves when all of them serve. */
async function fleetOf(context: TestContext, count: number): Promise<TestEmperor> {
  const folder = mkdtempSync(join(tmpdir(), "tsgi-"));
  mkdirSync(join(folder, "vassals"));
  mkdirSync(join(folder, "site"));
  writeFileSync(join(folder, "site", "index.html"), "here");
  for (let index = 0; index < count; index += 1) {
    writeFileSync(join(folder, "vassals", `v${index}.yaml`), siteText(folder, index));
  }
  const startMs = performance.now();
  const emperor = await TestEmperor.start({ folder });
  // Asking for the status again and again would cost more than the boots.
  const waited = await emperor.wait("v*");
  assert.equal(waited.code, 0, waited.stdout);
  context.diagnostic(`${count} vassals serve ${elapsed(startMs)} after the start of the emperor`);
  return emperor;
}

function siteText(folder: string, index: number): string {
  return `listen: http+unix://${folder}/s${index}\nstatic: ${folder}/site\n`;
}

async function allServe(
  emperor: TestEmperor,
  count: number,
  is: (vassal: VassalSnapshot) => boolean,
): Promise<readonly VassalSnapshot[]> {
  return eventually(`${count} vassals serve`, async () => {
    const { vassals } = await emperor.snapshot();
    const ready = vassals.filter((each) => each.state === "serving" && is(each));
    return ready.length === count ? ready : undefined;
  });
}

async function eventsOf(emperor: TestEmperor): Promise<readonly JournalEvent[]> {
  const text = await emperor.control("GET", "/events?n=2000");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as JournalEvent);
}

/** The most generations that were spawned and not decided at the same time. */
function mostInFlight(events: readonly JournalEvent[]): number {
  const open = new Set<string>();
  let most = 0;
  for (const { kind, vassal, generation } of events) {
    const key = `${vassal} ${generation}`;
    if (kind === "spawned") open.add(key);
    if (kind === "live" || kind === "failed") open.delete(key);
    most = Math.max(most, open.size);
  }
  return most;
}

function elapsed(startMs: number): string {
  return `${((performance.now() - startMs) / 1000).toFixed(2)} s`;
}

test("20 vassals that are killed at once are all back, at the first try, and no zombie stays", async (context) => {
  await using emperor = await fleetOf(context, 20);
  const before = (await emperor.snapshot()).vassals.map(({ pid }) => pid);
  emperor.remember();
  const startMs = performance.now();
  for (const pid of before) process.kill(pid, "SIGKILL");
  const after = await allServe(emperor, 20, ({ pid }) => !before.includes(pid));
  context.diagnostic(`20 killed vassals serve again after ${elapsed(startMs)}`);
  assert.ok(after.every(({ restarts, generation }) => restarts === 1 && generation === 2));
  const children = allProcesses().filter(({ parent }) => parent === emperor.pid);
  assert.deepEqual(
    children.filter(({ state }) => state === "Z"),
    [],
  );
  const answer = await ask({ socketPath: join(emperor.folder, "s7") }, "/");
  assert.equal(answer.body, "here");
  emperor.remember();
});

test("50 files that are touched at once are 50 deploys, a bounded number at a time, and none fails", async (context) => {
  await using emperor = await fleetOf(context, 50);
  emperor.remember();
  const startMs = performance.now();
  for (let index = 0; index < 50; index += 1) emperor.touch(`v${index}.yaml`);
  const waited = await emperor.wait("v*");
  context.diagnostic(`50 deploys took ${elapsed(startMs)}`);
  assert.equal(waited.code, 0, waited.stdout);
  const { vassals } = await emperor.snapshot();
  assert.ok(vassals.every((each) => each.generation === 2 && each.lastDeploy?.outcome === "live"));
  assert.ok(vassals.every((each) => (each.lastDeploy?.steps.oldReleasedAtMs ?? 0) > 0));
  const most = mostInFlight(await eventsOf(emperor));
  context.diagnostic(`at most ${most} boots at the same time`);
  assert.ok(most < 25, `${most} at the same time`);
  emperor.remember();
});

test("a storm of changes of one file is one deploy after the other, and the final content wins", async (context) => {
  await using emperor = await fleetOf(context, 1);
  emperor.remember();
  const untilMs = performance.now() + 2000;
  let text = "";
  let writes = 0;
  for (; performance.now() < untilMs; writes += 1) {
    text = `${siteText(emperor.folder, 0)}tags: [storm${writes}]\n`;
    emperor.drop("v0.yaml", text);
    if (writes % 3 === 0) await pause(1);
  }
  const waited = await emperor.wait("v0");
  assert.equal(waited.code, 0, waited.stdout);
  const vassal = await emperor.vassal("v0");
  assert.deepEqual(vassal?.tags, [`storm${writes - 1}`]);
  assert.equal(vassal?.lastDeploy?.configHash, createHash("sha256").update(text).digest("hex"));
  const events = await eventsOf(emperor);
  const deploys = events.filter(({ kind }) => kind === "spawned").length - 1;
  context.diagnostic(`${writes} writes in 2 s were ${deploys} deploys`);
  assert.equal(mostInFlight(events), 1);
  emperor.remember();
});

test("200 vassals boot with their emperor, and it stays small", async (context) => {
  await using emperor = await fleetOf(context, 200);
  emperor.remember();
  const rss = (await emperor.snapshot()).emperor.rssBytes;
  context.diagnostic(`the emperor of 200 vassals has ${(rss / 1024 ** 2).toFixed(0)} MiB resident`);
  assert.ok(rss < 256 * 1024 ** 2, `${rss} bytes`);
});
