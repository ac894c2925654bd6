/** kill -9 on any worker, loader or vassal process: back and serving without a command, and the journal says what happened. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../kit/eventually.ts";
import { ask, tryAsk } from "../kit/http.ts";
import { freePort } from "../kit/ports.ts";
import { missing } from "../kit/programs.ts";
import { family, isAlive } from "../kit/processes.ts";
import { TestEmperor } from "../kit/start-emperor.ts";

const PY = `
import os
def application(environ, start_response):
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
`;
const JS = "export default () => new Response(String(process.pid));\n";

const KINDS = [
  { kind: "python", file: "app.py", source: PY, skip: missing("python3") },
  { kind: "node", file: "app.mjs", source: JS, skip: false },
] as const;

async function startOne(
  kind: string,
  file: string,
  source: string,
): Promise<{ emperor: TestEmperor; port: number }> {
  const emperor = await TestEmperor.start();
  const port = await freePort();
  const directory = join(emperor.folder, "app");
  mkdirSync(directory);
  writeFileSync(join(directory, file), source);
  emperor.drop(
    "app.yaml",
    `listen: http://127.0.0.1:${port}\n${kind}: ${file}\ndirectory: ${directory}\nworkers: 2\n`,
  );
  const waited = await emperor.wait("app");
  assert.equal(waited.code, 0, waited.stdout + waited.stderr);
  return { emperor, port };
}

for (const { kind, file, source, skip } of KINDS) {
  test(
    `kill -9 of every process of a ${kind} vassal in turn: each time it serves again`,
    { skip },
    async () => {
      const { emperor, port } = await startOne(kind, file, source);
      await using _ = emperor;
      const vassal = await emperor.vassal("app");
      assert.ok(vassal !== undefined);
      const members = family(vassal.pid).filter((each) => each.pid !== vassal.pid);
      assert.ok(members.length >= 2);
      for (const member of [...members, ...family(vassal.pid).slice(0, 1)]) {
        if (!isAlive(member)) continue;
        process.kill(member.pid, "SIGKILL");
        await eventually(`${member.pid} is gone`, () => !isAlive(member));
        await eventually("it serves again, with two workers", async () => {
          const now = await emperor.vassal("app");
          const answer = await tryAsk(port);
          const workers = now?.workers.filter(
            (worker) => worker.state === "idle" || worker.state === "busy",
          );
          return answer?.status === 200 && now?.state === "serving" && workers?.length === 2;
        });
      }
      emperor.remember();
      const events = await emperor.cli("events", "--json");
      assert.match(events.stdout, /"kind":"worker-died"/);
      assert.match(events.stdout, /"kind":"died"/);
    },
  );
}

test(
  "the death of a vassal process leaves none of its workers behind",
  { skip: missing("python3") },
  async () => {
    const { emperor, port } = await startOne("python", "app.py", PY);
    await using _ = emperor;
    const vassal = await emperor.vassal("app");
    assert.ok(vassal !== undefined);
    const before = family(vassal.pid);
    process.kill(vassal.pid, "SIGKILL");
    await eventually(
      "all processes of the old generation are gone",
      () => !before.some((each) => isAlive(each)),
    );
    await eventually("it serves again", async () => (await tryAsk(port))?.status === 200);
    emperor.remember();
  },
);

test(
  "a python worker killed in mid-request gives one 502 and nothing else",
  { skip: missing("python3") },
  async () => {
    const slow = `
import os, time
def application(environ, start_response):
    if environ["PATH_INFO"] == "/die":
        os.kill(os.getpid(), 9)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
`;
    const { emperor, port } = await startOne("python", "app.py", slow);
    await using _ = emperor;
    const answers = await Promise.all([
      ask({ port }, "/die"),
      ...Array.from({ length: 20 }, () => ask({ port }, "/")),
    ]);
    emperor.remember();
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [502, ...Array.from({ length: 20 }, () => 200)],
    );
  },
);
