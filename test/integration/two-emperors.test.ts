/** Two emperors on one vassal folder, with runtime dirs of their own: the second says why it cannot, and nobody fights. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ask } from "../kit/http.ts";
import { freePort } from "../kit/ports.ts";
import { TestEmperor } from "../kit/start-emperor.ts";

test("a second emperor on the same folder is refused the port and the unix socket, and takes nothing away", async () => {
  await using first = await TestEmperor.start();
  const port = await freePort();
  const socketPath = join(first.folder, "app.sock");
  const app = join(first.folder, "app.mjs");
  writeFileSync(app, "export default () => new Response(String(process.ppid))");
  first.drop("tcp.yaml", `listen: http://127.0.0.1:${port}\nnode: ${app}\n`);
  first.drop("unix.yaml", `listen: http+unix://${socketPath}\nnode: ${app}\n`);
  assert.equal((await first.wait("tcp", "unix")).code, 0);
  const before = await Promise.all([first.vassal("tcp"), first.vassal("unix")]);
  {
    await using second = await TestEmperor.start({ args: ["--vassals", first.vassals] });
    for (const name of ["tcp", "unix"]) {
      const waited = await second.wait(name);
      assert.equal(waited.code, 1);
      assert.match(waited.stdout + waited.stderr, /another program (listens|answers)/);
    }
    second.remember();
  }
  first.remember();
  assert.equal((await ask({ port }, "/")).body, String(before[0]?.pid));
  assert.equal((await ask({ socketPath }, "/")).body, String(before[1]?.pid));
  const after = await Promise.all([first.vassal("tcp"), first.vassal("unix")]);
  assert.deepEqual(
    after.map((vassal) => vassal?.pid),
    before.map((vassal) => vassal?.pid),
  );
});
