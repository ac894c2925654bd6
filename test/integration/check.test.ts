/** `check` on real files and folders: nothing is run, nothing blocks, and what is between files is seen. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkPaths } from "../../src/cli/commands/check.ts";

const GOOD = "listen: http://127.0.0.1:8001\nnode: a.js\n";
const EXAMPLES = fileURLToPath(new URL("../../vassals.example", import.meta.url));

function withFolder(run: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "tsgi-check-"));
  try {
    run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("checkPaths() finds every example valid, and takes only vassal files", () => {
  const result = checkPaths([EXAMPLES], { resolved: true });
  assert.deepEqual(result.json.problems, []);
  assert.equal(result.exitCode, 0);
  const files = readdirSync(EXAMPLES).filter((name) => /\.(yaml|yml|json|ini)$/.test(name));
  assert.ok(files.length >= 7);
  assert.equal(result.json.files.length, files.length);
  for (const { listen } of result.json.files) {
    assert.match(String(listen), /^http:\/\/127\.0\.0\.1:88\d\d$/);
  }
});

test("examples name folders and files that exist", () => {
  for (const { resolved = [], file } of checkPaths([EXAMPLES], { resolved: true }).json.files) {
    const value = (key: string) => resolved.find((one) => one.key === key)?.value ?? "";
    const app = resolved.find(
      ({ key, source }) => source === "file" && ["node", "python", "static", "exec"].includes(key),
    );
    const entries = readdirSync(value("directory"));
    const named = app?.key === "exec" ? "server.js" : (app?.value.split(":", 1)[0] ?? "");
    assert.ok(entries.includes(named) || entries.includes(`${named}.py`), `${file}: ${named}`);
  }
});

test("checkPaths() sees two names, two addresses, bad names and entries that are no files", () =>
  withFolder((folder) => {
    const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
    write("blog.yaml", GOOD);
    write("blog.ini", "[uwsgi]\nhttp-socket = 127.0.0.1:8002\nmodule = a:b\n");
    write("shop.json", '{"listen": "http://:8001", "static": "."}');
    write("a name.yaml", GOOD);
    write(".hidden.yaml", "x");
    write("blog.yaml~", "x");
    write("notes.txt", "x");
    write("empty.yaml", "");
    writeFileSync(join(folder, "huge.yaml"), "");
    truncateSync(join(folder, "huge.yaml"), 4 * 1024 ** 3);
    mkdirSync(join(folder, "folder.yaml"));
    execFileSync("mkfifo", [join(folder, "fifo.yaml")]);
    symlinkSync("nowhere", join(folder, "dangling.yaml"));
    symlinkSync("/dev/zero", join(folder, "device.yaml"));
    const result = checkPaths([folder]);
    assert.equal(result.exitCode, 2);
    const said = (name: string) =>
      result.json.problems
        .filter(({ file }) => file === join(folder, name))
        .map(({ message }) => message)
        .join();
    assert.match(said("blog.yaml"), /'blog' is also the name of .*blog\.ini/);
    assert.match(said("shop.json"), /'http:\/\/0\.0\.0\.0:8001' is also served by 'blog'/);
    assert.match(said("a name.yaml"), /a name starts with/);
    assert.match(said("empty.yaml"), /empty/);
    for (const name of ["huge", "folder", "fifo", "dangling", "device"]) {
      assert.match(said(`${name}.yaml`), /cannot read the file: /, name);
    }
    assert.doesNotMatch(result.text, /hidden|blog\.yaml~|notes/);
    const shop = result.json.problems.find(({ file }) => file.endsWith("shop.json"));
    assert.deepEqual([shop?.line, shop?.column, shop?.key], [1, 2, "listen"]);
  }));

test("checkPaths() of a file prints each problem with its place, then the number of them", () =>
  withFolder((folder) => {
    const file = join(folder, "blog.yaml");
    writeFileSync(file, `${GOOD}wokers: 3\n`);
    const result = checkPaths([file]);
    assert.equal(result.exitCode, 2);
    assert.equal(
      result.text,
      `${file}:3:1: unknown key 'wokers'; did you mean 'workers'?\n1 error\n`,
    );
    assert.equal(checkPaths([join(folder, "absent.yaml")]).exitCode, 2);
    assert.equal(checkPaths(["/etc/passwd"]).exitCode, 2);
  }));

test("checkPaths() shows the value in force of every option, and where it is from", () =>
  withFolder((folder) => {
    const file = join(folder, "blog.yaml");
    writeFileSync(file, `${GOOD}harakiri: 30\n`);
    const { text, json } = checkPaths([file], { resolved: true });
    assert.match(text, /^ {2}deadline +30s {3}# harakiri, line 3$/m);
    assert.match(text, /^ {2}workers +1 {3}# default$/m);
    const deadline = json.files[0]?.resolved?.find(({ key }) => key === "deadline");
    assert.deepEqual(deadline, {
      key: "deadline",
      value: "30s",
      source: "file",
      writtenAs: "harakiri",
      line: 3,
    });
    assert.equal(readFileSync(file, "utf8"), `${GOOD}harakiri: 30\n`);
  }));
