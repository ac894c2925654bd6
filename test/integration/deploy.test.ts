/** Deploys by touch under load: not one failed or reset request, for python and node, in three kinds of traffic. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../kit/eventually.ts";
import { ask, tryAsk } from "../kit/http.ts";
import { freePort } from "../kit/ports.ts";
import { missing } from "../kit/programs.ts";
import { TestEmperor } from "../kit/start-emperor.ts";
import { Wrk } from "../kit/wrk.ts";
import type { WrkOptions } from "../kit/wrk.ts";

const DEPLOYS = 20;

interface Language {
  readonly key: string;
  readonly file: string;
  readonly source: string;
  readonly more: string;
}

const PYTHON: Language = {
  key: "python: app.py",
  file: "app.py",
  source: `
import time
VERSION = open("version").read().strip().encode()
def application(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        time.sleep(2)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(VERSION)))])
    return [VERSION]
`,
  more: "workers: 2\nthreads: 32\n",
};

const NODE: Language = {
  key: "node: app.mjs",
  file: "app.mjs",
  source: `
import { readFileSync } from "node:fs";
const version = readFileSync("version", "utf8").trim();
export default async function (request) {
  if (new URL(request.url).pathname === "/slow") await new Promise((done) => setTimeout(done, 2000));
  return new Response(version);
}
`,
  more: "workers: 2\n",
};

interface Traffic {
  readonly title: string;
  readonly path: string;
  readonly options: WrkOptions;
}

const TRAFFIC: readonly Traffic[] = [
  { title: "64 keep-alive connections", path: "/", options: {} },
  {
    title: "a connection for each request",
    path: "/",
    options: { headers: ["Connection: close"] },
  },
  { title: "2-second requests in flight", path: "/slow", options: {} },
];

async function deploysLoseNothing(language: Language, traffic: Traffic): Promise<void> {
  await using emperor = await TestEmperor.start();
  const port = await freePort();
  const directory = join(emperor.folder, "app");
  mkdirSync(directory);
  writeFileSync(join(directory, language.file), language.source);
  writeFileSync(join(directory, "version"), "v0");
  emperor.drop(
    "app.yaml",
    `listen: http://127.0.0.1:${port}\n${language.key}\ndirectory: ${directory}\n${language.more}`,
  );
  const first = await emperor.wait("app");
  assert.equal(first.code, 0, first.stdout + first.stderr);
  await using load = new Wrk(`http://127.0.0.1:${port}${traffic.path}`, traffic.options);
  await eventually("load arrives", async () => {
    const vassal = await emperor.vassal("app");
    return (
      vassal !== undefined &&
      vassal.workers.some((worker) => worker.requests > 0 || worker.state === "busy")
    );
  });
  for (let deploy = 1; deploy <= DEPLOYS; deploy += 1) {
    writeFileSync(join(directory, "version"), `v${deploy}`);
    emperor.touch("app.yaml");
    const waited = await emperor.wait("app");
    assert.equal(waited.code, 0, waited.stdout + waited.stderr);
    assert.equal((await ask({ port }, "/")).body, `v${deploy}`);
  }
  emperor.remember();
  const report = await load.stop();
  assert.ok(report.requests > 0, report.text);
  assert.equal(report.socketErrors, 0, report.text);
  assert.equal(report.badStatus, 0, report.text);
  const vassal = await emperor.vassal("app");
  assert.equal(vassal?.generation, DEPLOYS + 1);
  assert.equal(vassal?.lastDeploy?.outcome, "live");
  assert.equal(vassal?.lastDeploy?.connectionsReset, 0);
}

for (const [name, language] of [
  ["python", PYTHON],
  ["node", NODE],
] as const) {
  for (const traffic of TRAFFIC) {
    const skip = name === "python" ? missing("wrk", "python3") : missing("wrk");
    test(`${DEPLOYS} deploys of a ${name} vassal lose no request: ${traffic.title}`, { skip }, () =>
      deploysLoseNothing(language, traffic),
    );
  }
}

test("a removed file stops its vassal and frees its port", async () => {
  await using emperor = await TestEmperor.start();
  const port = await freePort();
  writeFileSync(join(emperor.folder, "app.mjs"), "export default () => new Response('here')");
  emperor.drop("gone.yaml", `listen: http://127.0.0.1:${port}\nnode: ${emperor.folder}/app.mjs\n`);
  assert.equal((await emperor.wait("gone")).code, 0);
  assert.equal((await ask({ port }, "/")).body, "here");
  emperor.remember();
  emperor.remove("gone.yaml");
  await eventually("the vassal is gone", async () => (await emperor.vassal("gone")) === undefined);
  assert.equal(await tryAsk(port), undefined);
});
