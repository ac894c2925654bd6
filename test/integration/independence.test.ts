/** Changing one vassal leaves every other one alone: pid, sockets, and connections that are open. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { freePort } from "../kit/ports.ts";
import { TestEmperor } from "../kit/start-emperor.ts";

/** One request through `agent`; resolves with the local port of the connection it used. */
function through(agent: Agent, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port, agent }, (answer) => {
      const local = answer.socket.localPort ?? 0;
      answer.resume();
      answer.on("end", () => resolve(local));
    });
    call.on("error", reject);
    call.end();
  });
}

test("deploying, adding, breaking and removing vassals never touches another one", async () => {
  await using emperor = await TestEmperor.start();
  const app = join(emperor.folder, "app.mjs");
  writeFileSync(app, "export default () => new Response('x')");
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  const text = (port: number): string => `listen: http://127.0.0.1:${port}\nnode: ${app}\n`;
  emperor.drop("quiet.yaml", text(ports[0]));
  emperor.drop("busy.yaml", text(ports[1]));
  assert.equal((await emperor.wait("quiet", "busy")).code, 0);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const connection = await through(agent, ports[0]);
  const before = await emperor.vassal("quiet");
  emperor.touch("busy.yaml");
  assert.equal((await emperor.wait("busy")).code, 0);
  assert.equal(await through(agent, ports[0]), connection);
  emperor.drop("third.yaml", text(ports[2]));
  assert.equal((await emperor.wait("third")).code, 0);
  emperor.drop("busy.yaml", "nonsense: [");
  assert.equal((await emperor.wait("busy")).code, 1);
  emperor.remember();
  emperor.remove("third.yaml");
  await emperor.control("POST", "/rescan");
  assert.equal(await through(agent, ports[0]), connection);
  agent.destroy();
  const after = await emperor.vassal("quiet");
  assert.equal(after?.pid, before?.pid);
  assert.equal(after?.generation, 1);
  assert.equal(after?.restarts, 0);
  assert.deepEqual(
    after?.workers.map((worker) => worker.pid),
    before?.workers.map((worker) => worker.pid),
  );
});
