/** What counts as a change of a vassal file, and what does not, with real files and a real watcher. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { EmperorCore, someAddress, vassalText } from "../kit/in-process-emperor.ts";
import { ask } from "../kit/http.ts";
import { freePort } from "../kit/ports.ts";

/** Things that are not reported have to be given the time to be reported wrongly: two looks after the longest settling. */
async function severalLooks(core: EmperorCore): Promise<void> {
  for (let count = 0; count < 3; count += 1) await core.emperor.rescan();
}

test("a dropped file becomes a vassal that answers, a touch a new generation, and removing it the end", async () => {
  await using core = await EmperorCore.start();
  const port = await freePort();
  core.drop("blog.yaml", vassalText({ port }));
  await core.emperor.rescan();
  assert.deepEqual((await core.wait("blog")).ok, true);
  const first = await ask({ port }, "/");
  core.touch("blog.yaml");
  const touched = await core.wait("blog");
  assert.equal(touched.receipt?.generation, 2);
  assert.equal(touched.receipt?.trigger, "touched");
  assert.notEqual((await ask({ port }, "/")).body, first.body);
  unlinkSync(core.path("blog.yaml"));
  await core.gone("blog");
  await assert.rejects(ask({ port }, "/"), { code: "ECONNREFUSED" });
});

test("every kind of change is seen: older and future times, same second, same size, a changed mode", async () => {
  await using core = await EmperorCore.start();
  const file = core.path("blog.yaml");
  core.drop("blog.yaml", vassalText());
  await core.emperor.rescan();
  let generation = (await core.wait("blog")).receipt?.generation ?? 0;
  const changes: readonly (readonly [string, () => void])[] = [
    ["a time in the past", () => utimesSync(file, 1000, 1000)],
    ["a time in the future", () => utimesSync(file, 4e9, 4e9)],
    ["the same size in the same second", () => writeFileSync(file, vassalText({ behave: "okay" }))],
    ["and once more", () => writeFileSync(file, vassalText({ behave: "fine" }))],
    [
      "a rename over it with an older time",
      () => {
        const draft = join(core.folder, "draft");
        writeFileSync(draft, vassalText());
        utimesSync(draft, 500, 500);
        renameSync(draft, file);
      },
    ],
    ["only the mode", () => chmodSync(file, statSync(file).mode ^ 0o100)],
  ];
  for (const [what, change] of changes) {
    change();
    const result = await core.wait("blog");
    generation += 1;
    assert.equal(result.receipt?.generation, generation, what);
    assert.ok(result.ok, what);
  }
});

test("a file written in two halves by one writer is one deploy with the whole content", async () => {
  await using core = await EmperorCore.start();
  core.drop("blog.yaml", vassalText());
  await core.emperor.rescan();
  await core.wait("blog");
  const text = vassalText({ behave: "second", more: "tags: [whole]" });
  const fd = openSync(core.path("blog.yaml"), "w");
  writeSync(fd, text.slice(0, 30));
  // The other half comes after several looks at the first one.
  await pause(300);
  assert.equal(core.vassal("blog")?.generation, 1, "half a file is not deployed");
  writeSync(fd, text.slice(30));
  closeSync(fd);
  const { receipt } = await core.wait("blog");
  assert.equal(receipt?.generation, 2);
  assert.deepEqual(core.vassal("blog")?.tags, ["whole"]);
  assert.deepEqual(core.events("invalid"), []);
});

test("half a file that was closed in between gets patience before it is called invalid", async () => {
  await using core = await EmperorCore.start();
  core.drop("blog.yaml", vassalText());
  await core.emperor.rescan();
  await core.wait("blog");
  writeFileSync(core.path("blog.yaml"), `listen: ${someAddress()}\nstatic: .\nenv: { BEHAVE: `);
  await pause(200);
  appendFileSync(core.path("blog.yaml"), "good }\n");
  assert.equal((await core.wait("blog")).receipt?.generation, 2);
  assert.deepEqual(core.events("invalid"), []);
});

test("a thousand renames end with the last content, and are never more than a few deploys at a time", async () => {
  await using core = await EmperorCore.start();
  for (let count = 0; count < 1000; count += 1) {
    core.drop("blog.yaml", vassalText({ more: `tags: [n${count}]` }));
    if (count % 50 === 0) await pause(1);
  }
  await core.emperor.rescan();
  assert.ok((await core.wait("blog")).ok);
  assert.deepEqual(core.vassal("blog")?.tags, ["n999"]);
  assert.ok(core.pids.length < 20, `${core.pids.length} processes were started`);
});

test("a file that is away for a moment and comes back as it was is nothing", async () => {
  await using core = await EmperorCore.start();
  core.drop("blog.yaml", vassalText());
  await core.emperor.rescan();
  await core.wait("blog");
  const pid = core.vassal("blog")?.pid;
  for (let count = 0; count < 5; count += 1) {
    renameSync(core.path("blog.yaml"), join(core.folder, "away"));
    await pause(20);
    copyFileSync(join(core.folder, "away"), core.path("blog.yaml"));
    await severalLooks(core);
  }
  assert.equal(core.vassal("blog")?.pid, pid);
  assert.deepEqual(core.events("removed"), []);
});

test("editors and tools make one deploy and no phantom vassal", async () => {
  await using core = await EmperorCore.start();
  const file = core.path("blog.yaml");
  core.drop("blog.yaml", vassalText());
  await core.emperor.rescan();
  await core.wait("blog");
  let generation = 1;
  const change = (n: number): string => vassalText({ more: `tags: [e${n}]` });
  const editors: readonly (readonly [string, () => void])[] = [
    [
      "vim",
      () => {
        writeFileSync(core.path("4913"), "");
        unlinkSync(core.path("4913"));
        writeFileSync(core.path(".blog.yaml.swp"), "swap");
        renameSync(file, core.path("blog.yaml~"));
        writeFileSync(file, change(1));
        unlinkSync(core.path("blog.yaml~"));
        unlinkSync(core.path(".blog.yaml.swp"));
      },
    ],
    [
      "emacs",
      () => {
        symlinkSync("user@host.1:2", core.path(".#blog.yaml"));
        writeFileSync(core.path("#blog.yaml#"), "auto");
        writeFileSync(file, change(2));
        unlinkSync(core.path("#blog.yaml#"));
        unlinkSync(core.path(".#blog.yaml"));
      },
    ],
    ["sed -i", () => execFileSync("sed", ["-i", "s/e2/e3/", file])],
    [
      "cp",
      () => {
        writeFileSync(join(core.folder, "new"), change(4));
        execFileSync("cp", [join(core.folder, "new"), file]);
      },
    ],
    [
      "rsync",
      () => {
        writeFileSync(core.path(".blog.yaml.Xk2lQp"), change(5));
        renameSync(core.path(".blog.yaml.Xk2lQp"), file);
      },
    ],
    [
      "dpkg",
      () => {
        writeFileSync(core.path("blog.yaml.dpkg-new"), change(6));
        renameSync(core.path("blog.yaml.dpkg-new"), file);
      },
    ],
    [
      "truncate and write",
      () => {
        truncateSync(file, 0);
        writeFileSync(file, change(7));
      },
    ],
  ];
  for (const [index, [name, edit]] of editors.entries()) {
    edit();
    const result = await core.wait("blog");
    generation += 1;
    assert.equal(result.receipt?.generation, generation, name);
    assert.deepEqual(core.vassal("blog")?.tags, [`e${index + 1}`], name);
  }
  assert.deepEqual(
    core.emperor.snapshot().vassals.map(({ name }) => name),
    ["blog"],
  );
  assert.deepEqual(core.emperor.snapshot().emperor.refused, []);
});

test("a re-pointed link and a changed target of a link both deploy", async () => {
  await using core = await EmperorCore.start();
  const [a, b] = [join(core.folder, "a.yaml"), join(core.folder, "b.yaml")];
  writeFileSync(a, vassalText({ more: "tags: [a]" }));
  writeFileSync(b, vassalText({ more: "tags: [b]" }));
  symlinkSync(a, core.path("blog.yaml"));
  await core.emperor.rescan();
  await core.wait("blog");
  writeFileSync(a, vassalText({ more: "tags: [a2]" }));
  await core.wait("blog");
  assert.deepEqual(core.vassal("blog")?.tags, ["a2"]);
  symlinkSync(b, join(core.folder, "link"));
  renameSync(join(core.folder, "link"), core.path("blog.yaml"));
  await core.wait("blog");
  assert.deepEqual(core.vassal("blog")?.tags, ["b"]);
});

test("a link in the directory is resolved at spawn, and the status warns when it points elsewhere", async () => {
  await using core = await EmperorCore.start();
  for (const release of ["r1", "r2"]) mkdirSync(join(core.folder, release));
  symlinkSync("r1", join(core.folder, "current"));
  core.drop("blog.yaml", vassalText({ more: `directory: ${core.folder}/current` }));
  await core.emperor.rescan();
  await core.wait("blog");
  assert.equal(core.vassal("blog")?.release, join(core.folder, "r1"));
  assert.equal(core.vassal("blog")?.releaseWarning, undefined);
  symlinkSync("r2", join(core.folder, "next"));
  renameSync(join(core.folder, "next"), join(core.folder, "current"));
  assert.match(
    core.vassal("blog")?.releaseWarning ?? "",
    /running release .*r1, ".*current" points at .*r2/,
  );
  core.command("reload", "blog");
  assert.ok((await core.wait("blog")).ok);
  assert.equal(core.vassal("blog")?.release, join(core.folder, "r2"));
});

test("a touch file deploys when it is touched and when it appears, not when it goes", async () => {
  await using core = await EmperorCore.start();
  const trigger = join(core.folder, "trigger");
  core.drop("blog.yaml", vassalText({ more: `touch: ${trigger}` }));
  await core.emperor.rescan();
  await core.wait("blog");
  writeFileSync(trigger, "");
  await core.until(
    "blog",
    "at generation 2",
    ({ generation, state }) => generation === 2 && state === "serving",
  );
  utimesSync(trigger, 1, 1);
  assert.equal((await core.wait("blog")).receipt?.generation, 3);
  rmSync(trigger);
  await severalLooks(core);
  assert.equal(core.vassal("blog")?.generation, 3);
});

test("the vassal folder itself going away is not the removal of its files", async () => {
  await using core = await EmperorCore.start({ rescanMs: 100 });
  const port = await freePort();
  core.drop("blog.yaml", vassalText({ port }));
  core.drop("shop.yaml", vassalText());
  await core.emperor.rescan();
  await core.wait("blog");
  await core.wait("shop");
  const pid = core.vassal("blog")?.pid;
  renameSync(core.vassals, join(core.folder, "elsewhere"));
  await core.event("trouble", /Cannot list .*; its vassals go on/);
  await severalLooks(core);
  assert.equal((await ask({ port }, "/")).status, 200);
  // It comes back with one file less: only that one goes.
  mkdirSync(core.vassals);
  copyFileSync(join(core.folder, "elsewhere", "blog.yaml"), core.path("blog.yaml"));
  await core.gone("shop");
  assert.notEqual(core.vassal("blog"), undefined);
  assert.ok(pid !== undefined && pid > 0);
  assert.equal(core.events("died").length, 0);
});

test("changes are seen without any watcher, by the periodic look, and one event says so", async () => {
  const watchDirectory = (): never => {
    throw Object.assign(new Error("ENOSPC: System limit for number of file watchers reached"), {
      code: "ENOSPC",
    });
  };
  await using core = await EmperorCore.start({ rescanMs: 50, deps: { watchDirectory } });
  core.drop("blog.yaml", vassalText());
  await core.until("blog", "serving", ({ state }) => state === "serving");
  core.touch("blog.yaml");
  await core.until(
    "blog",
    "at generation 2",
    ({ generation, state }) => generation === 2 && state === "serving",
  );
  assert.equal(
    core.events("trouble").filter(({ message }) => /Cannot watch/.test(message)).length,
    1,
  );
});

test("what is no regular file is skipped with one event, and never blocks", async () => {
  await using core = await EmperorCore.start({ rescanMs: 50 });
  mkdirSync(core.path("folder.yaml"));
  execFileSync("mkfifo", [core.path("pipe.yaml")]);
  symlinkSync("/nowhere", core.path("dangling.yaml"));
  symlinkSync("loop.yaml", core.path("loop.yaml"));
  symlinkSync("/dev/zero", core.path("device.yaml"));
  await using _server = createServer().listen(core.path("socket.yaml"));
  execFileSync("truncate", ["-s", "4G", core.path("sparse.yaml")]);
  core.drop("blog.yaml", vassalText());
  await core.emperor.rescan();
  assert.ok((await core.wait("blog")).ok);
  await severalLooks(core);
  const refused = core.emperor
    .snapshot()
    .emperor.refused.map(({ file }) => file.replace(/.*\//, ""));
  assert.deepEqual([...refused].sort(), [
    "dangling.yaml",
    "device.yaml",
    "folder.yaml",
    "loop.yaml",
    "pipe.yaml",
    "socket.yaml",
  ]);
  for (const name of refused) {
    assert.equal(
      core.events("trouble").filter(({ message }) => message.includes(`/${name}"`)).length,
      1,
      name,
    );
  }
  await core.until(
    "sparse",
    "invalid",
    ({ state, reason }) => state === "invalid" && /bigger than/.test(reason),
  );
});

test("of two files with one name neither is guessed, one that runs stays, and the other takes over when it goes", async () => {
  await using core = await EmperorCore.start();
  core.drop("both.ini", "[tsgi]\nstatic = .\n");
  core.drop("both.yaml", vassalText());
  core.drop("one.yaml", vassalText());
  await core.emperor.rescan();
  await core.wait("one");
  assert.equal(core.vassal("both"), undefined);
  core.drop("one.json", JSON.stringify({ listen: someAddress(), static: ".", tags: ["json"] }));
  await severalLooks(core);
  assert.equal(core.vassal("one")?.generation, 1);
  assert.throws(() => core.emperor.select(["both"]), { message: /has the same name/ });
  unlinkSync(core.path("one.yaml"));
  await core.until(
    "one",
    "from the other file",
    ({ generation, state }) => generation === 2 && state === "serving",
  );
  assert.deepEqual(core.vassal("one")?.tags, ["json"]);
  unlinkSync(core.path("both.ini"));
  await core.until("both", "serving", ({ state }) => state === "serving");
});

test("changing one vassal leaves the pids of all others alone", async () => {
  await using core = await EmperorCore.start();
  const names = ["a", "b", "c", "d"];
  for (const name of names) core.drop(`${name}.yaml`, vassalText());
  await core.emperor.rescan();
  for (const name of names) assert.ok((await core.wait(name)).ok);
  const before = names.map((name) => core.vassal(name)?.pid);
  core.touch("b.yaml");
  await core.wait("b");
  const after = names.map((name) => core.vassal(name)?.pid);
  assert.notEqual(after[1], before[1]);
  assert.deepEqual([after[0], after[2], after[3]], [before[0], before[2], before[3]]);
  assert.match(
    readFileSync(join(core.stateDir, "receipts", "b.json"), "utf8"),
    /"outcome": "live"/,
  );
});

test("warnings about a file are events once for each content, and status and wait carry them", async () => {
  await using core = await EmperorCore.start();
  core.drop("blog.yaml", vassalText({ more: "master: true\nvacuum: true" }));
  await core.emperor.rescan();
  const first = await core.wait("blog");
  assert.ok(first.ok);
  assert.equal(first.warnings.length, 2);
  assert.match(first.warnings[0] ?? "", /blog\.yaml:4:1: 'master' is ignored/);
  assert.deepEqual(core.vassal("blog")?.warnings, first.warnings);
  core.touch("blog.yaml");
  assert.equal((await core.wait("blog")).receipt?.generation, 2);
  const told = (): readonly string[] => core.events("config-warning").map((each) => each.message);
  assert.deepEqual(told(), first.warnings);
  core.drop("blog.yaml", vassalText({ more: "master: true" }));
  assert.equal((await core.wait("blog")).warnings.length, 1);
  assert.equal(told().length, 3);
  core.drop("blog.yaml", vassalText());
  assert.deepEqual((await core.wait("blog")).warnings, []);
  assert.deepEqual(core.vassal("blog")?.warnings, []);
});
