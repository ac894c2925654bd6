/** A file that breaks the application: the old generation never stops answering, and `wait` says why. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ask } from "../kit/http.ts";
import { freePort } from "../kit/ports.ts";
import { missing } from "../kit/programs.ts";
import { TestEmperor } from "../kit/start-emperor.ts";
import { Wrk } from "../kit/wrk.ts";

interface Breakage {
  readonly title: string;
  readonly source: string;
  /** What `wait` must print. */
  readonly says: RegExp;
}

const GOOD_PY = `
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "4")])
    return [b"good"]
`;

const PYTHON: readonly Breakage[] = [
  { title: "a syntax error", source: "def application(:\n", says: /SyntaxError/ },
  { title: "an import error", source: "import no_such_module_here\n", says: /no_such_module_here/ },
  { title: "an exit at once", source: "import sys\nsys.exit(3)\n", says: /exit|3/ },
  { title: "no callable", source: "x = 1\n", says: /application/ },
  {
    title: "never ready",
    source: "import time\nprint('still loading', flush=True)\ntime.sleep(600)\n",
    says: /ready-timeout|not ready/,
  },
];

const GOOD_JS = 'export default () => new Response("good");\n';

const NODE: readonly Breakage[] = [
  { title: "a syntax error", source: "export default (;\n", says: /SyntaxError/ },
  { title: "an import error", source: 'import "./no-such-module.mjs";\n', says: /no-such-module/ },
  { title: "an exit at once", source: "process.exit(3);\n", says: /exit|3/ },
  { title: "no export", source: "export const x = 1;\n", says: /exports no application/ },
  {
    title: "never ready",
    source:
      "console.log('still loading'); await new Promise((done) => setTimeout(done, 600_000));\n",
    says: /ready-timeout|not ready/,
  },
];

async function oldKeepsServing(
  key: string,
  file: string,
  good: string,
  breakage: Breakage,
): Promise<void> {
  await using emperor = await TestEmperor.start();
  const port = await freePort();
  const directory = join(emperor.folder, "app");
  mkdirSync(directory);
  writeFileSync(join(directory, file), good);
  emperor.drop(
    "app.yaml",
    `listen: http://127.0.0.1:${port}\n${key}: ${file}\ndirectory: ${directory}\nready-timeout: 3s\n`,
  );
  assert.equal((await emperor.wait("app")).code, 0);
  const before = await emperor.vassal("app");
  await using load = new Wrk(`http://127.0.0.1:${port}/`, { connections: 8 });
  writeFileSync(join(directory, file), breakage.source);
  emperor.touch("app.yaml");
  const waited = await emperor.wait("app");
  emperor.remember();
  const report = await load.stop();
  assert.equal(waited.code, 1, waited.stdout + waited.stderr);
  assert.match(waited.stdout + waited.stderr, breakage.says);
  assert.equal(report.socketErrors + report.badStatus, 0, report.text);
  assert.ok(report.requests > 0);
  const after = await emperor.vassal("app");
  assert.equal(after?.pid, before?.pid);
  assert.equal(after?.serving, true);
  assert.equal(after?.lastDeploy?.outcome, "failed");
  assert.equal((await ask({ port }, "/")).body, "good");
  writeFileSync(join(directory, file), good);
  emperor.touch("app.yaml");
  assert.equal((await emperor.wait("app")).code, 0);
}

for (const breakage of PYTHON) {
  test(
    `a python deploy with ${breakage.title} leaves the old generation serving`,
    { skip: missing("wrk", "python3") },
    () => oldKeepsServing("python", "app.py", GOOD_PY, breakage),
  );
}

for (const breakage of NODE) {
  test(
    `a node deploy with ${breakage.title} leaves the old generation serving`,
    { skip: missing("wrk") },
    () => oldKeepsServing("node", "app.mjs", GOOD_JS, breakage),
  );
}

test("an invalid vassal file leaves the old generation serving and names line and key", async () => {
  await using emperor = await TestEmperor.start();
  const port = await freePort();
  writeFileSync(join(emperor.folder, "app.mjs"), GOOD_JS);
  const text = `listen: http://127.0.0.1:${port}\nnode: ${emperor.folder}/app.mjs\n`;
  emperor.drop("app.yaml", text);
  assert.equal((await emperor.wait("app")).code, 0);
  emperor.drop("app.yaml", `${text}worker: 3\n`);
  const waited = await emperor.wait("app");
  emperor.remember();
  assert.equal(waited.code, 1);
  assert.match(waited.stdout + waited.stderr, /app\.yaml:3.*worker.*workers/s);
  assert.equal((await ask({ port }, "/")).body, "good");
});
