/** Bad input: a clear error that names the file and the fix, and nothing of anybody else is lost. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../kit/eventually.ts";
import { ask } from "../kit/http.ts";
import { freePort } from "../kit/ports.ts";
import { TestEmperor } from "../kit/start-emperor.ts";

const HELLO = "export default () => new Response('hello');\n";
const NOT_ROOT = process.getuid?.() !== 0 && "needs root, for a file system of its own";

/** An emperor with one good vassal that must not notice anything. */
async function withWitness(
  run: (emperor: TestEmperor, app: string) => Promise<void>,
  start: () => Promise<TestEmperor> = () => TestEmperor.start(),
): Promise<void> {
  await using emperor = await start();
  const app = join(emperor.folder, "app.mjs");
  writeFileSync(app, HELLO);
  const port = await freePort();
  emperor.drop("witness.yaml", `listen: http://127.0.0.1:${port}\nnode: ${app}\n`);
  const waited = await emperor.wait("witness");
  assert.equal(waited.code, 0, waited.stdout + waited.stderr);
  const before = await emperor.vassal("witness");
  await run(emperor, app);
  emperor.remember();
  assert.equal((await ask({ port }, "/")).body, "hello");
  const after = await emperor.vassal("witness");
  assert.equal(after?.pid, before?.pid);
  assert.equal(after?.restarts, 0);
}

interface BadFile {
  readonly title: string;
  readonly name: string;
  readonly content: string | Buffer;
  readonly says: RegExp;
}

const BAD_FILES: readonly BadFile[] = [
  { title: "empty", name: "bad.yaml", content: "", says: /empty/i },
  {
    title: "binary",
    name: "bad.yaml",
    content: Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 0xff]),
    says: /bad\.yaml:1/,
  },
  {
    title: "broken YAML",
    name: "bad.yaml",
    content: "listen: [http://127.0.0.1:1\npython: x\n",
    says: /bad\.yaml:\d+:\d+/,
  },
  { title: "recursive aliases", name: "bad.yaml", content: "a: &a [*a, *a]\n", says: /bad\.yaml:/ },
  {
    title: "an alias bomb",
    name: "bad.yaml",
    content: `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefgh"
      .split("")
      .map((key, index) => `${key}: &${key} [${Array(9).fill(`*${"abcdefg"[index]}`).join(",")}]`)
      .join("\n")}\n`,
    says: /bad\.yaml:/,
  },
  {
    title: "a duplicate key",
    name: "bad.yaml",
    content: "workers: 1\nworkers: 2\n",
    says: /bad\.yaml:2.*workers/s,
  },
  {
    title: "an unknown key",
    name: "bad.yaml",
    content: "listen: http://127.0.0.1:1\nstatic: .\nwokers: 3\n",
    says: /bad\.yaml:3.*wokers.*workers/s,
  },
  {
    title: "broken JSON",
    name: "bad.json",
    content: '{"listen": "http://127.0.0.1:1",}',
    says: /bad\.json:1/,
  },
  {
    title: "an INI with a command in it",
    name: "bad.ini",
    content: "[uwsgi]\nhttp-socket = 127.0.0.1:1\nmodule = @(exec://id)\n",
    says: /bad\.ini:3/,
  },
];

for (const bad of BAD_FILES) {
  test(`a vassal file that is ${bad.title} is refused with its place, and costs the others nothing`, () =>
    withWitness(async (emperor) => {
      writeFileSync(emperor.path(bad.name), bad.content);
      const waited = await emperor.wait("bad");
      assert.equal(waited.code, 1, waited.stdout + waited.stderr);
      assert.match(waited.stdout + waited.stderr, bad.says);
      assert.equal((await emperor.vassal("bad"))?.state, "invalid");
    }));
}

test("a file of 4 GiB, a folder, a FIFO and a dangling link are refused without being read", () =>
  withWitness(async (emperor) => {
    writeFileSync(emperor.path("huge.yaml"), "");
    truncateSync(emperor.path("huge.yaml"), 4 * 1024 ** 3);
    mkdirSync(emperor.path("folder.yaml"));
    execFileSync("mkfifo", [emperor.path("fifo.yaml")]);
    symlinkSync("nowhere", emperor.path("dangling.yaml"));
    await emperor.control("POST", "/rescan");
    await eventually("all four are named", async () => {
      const events = await emperor.cli("events", "-n", "200");
      return ["huge.yaml", "folder.yaml", "fifo.yaml", "dangling.yaml"].every((name) =>
        events.stdout.includes(name),
      );
    });
  }));

test("two files of one name: the running one stays, the other is named", () =>
  withWitness(async (emperor) => {
    writeFileSync(emperor.path("witness.ini"), "[uwsgi]\nhttp-socket = 127.0.0.1:1\n");
    await eventually("the second file is refused", async () => {
      const { refused } = (await emperor.snapshot()).emperor;
      return refused.some(
        (each) => each.file.endsWith("witness.ini") && /witness/.test(each.reason),
      );
    });
  }));

test("two vassals on one port: the second is refused and names the first", () =>
  withWitness(async (emperor, app) => {
    const taken = (await emperor.vassal("witness"))?.listen[0] ?? "";
    emperor.drop("second.yaml", `listen: ${taken}\nnode: ${app}\n`);
    const waited = await emperor.wait("second");
    assert.equal(waited.code, 1);
    assert.match(waited.stdout + waited.stderr, /witness/);
  }));

test("a port in use by a stranger is named, and taken as soon as it is free and the file is touched", () =>
  withWitness(async (emperor, app) => {
    await using stranger = createServer();
    await new Promise<void>((resolve) => {
      stranger.listen(0, "127.0.0.1", () => resolve());
    });
    const { port } = stranger.address() as AddressInfo;
    emperor.drop("late.yaml", `listen: http://127.0.0.1:${port}\nnode: ${app}\n`);
    const waited = await emperor.wait("late");
    assert.equal(waited.code, 1);
    assert.match(
      waited.stdout + waited.stderr,
      new RegExp(`${port}.*another program listens there`, "s"),
    );
    await stranger[Symbol.asyncDispose]();
    emperor.touch("late.yaml");
    const again = await emperor.wait("late");
    assert.equal(again.code, 0, again.stdout + again.stderr);
    assert.equal((await ask({ port }, "/")).body, "hello");
  }));

for (const [title, lines, says] of [
  ["directory", "directory: /no/such/folder\nnode: app.mjs\n", /\/no\/such\/folder/],
  ["user", "user: nobody-of-this-name\nstatic: /tmp\n", /nobody-of-this-name/],
  ["interpreter", "python: app.py\ninterpreter: /no/such/python\n", /\/no\/such\/python/],
  ["program", "exec: ./no-such-program\n", /no-such-program/],
  ["module", "node: ./no-such-module.mjs\n", /no-such-module/],
] as const) {
  test(`a missing ${title} is named by wait, with exit code 1`, () =>
    withWitness(async (emperor) => {
      emperor.drop("lost.yaml", `listen: http://127.0.0.1:${await freePort()}\n${lines}`);
      const waited = await emperor.wait("lost");
      assert.equal(waited.code, 1, waited.stdout + waited.stderr);
      assert.match(waited.stdout + waited.stderr, says);
    }));
}

test("a full disk for journal, receipts and logs stops no deploy", { skip: NOT_ROOT }, () =>
  withWitness(
    async (emperor, app) => {
      // Fills what is left of the small file system, from outside its mount namespace.
      const fill = `/proc/${emperor.pid}/root${emperor.stateDir}/fill`;
      assert.throws(() => writeFileSync(fill, Buffer.alloc(8 * 1024 * 1024)), /ENOSPC/);
      const port = await freePort();
      emperor.drop("more.yaml", `listen: http://127.0.0.1:${port}\nnode: ${app}\n`);
      for (const round of [1, 2]) {
        const waited = await emperor.wait("more");
        assert.equal(waited.code, 0, waited.stdout + waited.stderr);
        assert.equal((await emperor.vassal("more"))?.generation, round);
        emperor.touch("more.yaml");
      }
      assert.equal((await emperor.wait("more")).code, 0);
      assert.equal((await ask({ port }, "/")).body, "hello");
    },
    () => {
      const folder = mkdtempSync(join(tmpdir(), "tsgi-full-"));
      const script =
        'mkdir -p "$0/state" && mount -t tmpfs -o size=256k,mode=700 none "$0/state" && exec "$@"';
      return TestEmperor.start({ folder, wrap: ["unshare", "-m", "sh", "-c", script, folder] });
    },
  ),
);
