/** Whose port is it: a program must not be taken for ready because somebody else listens where it should. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { portProblem } from "../../src/runtimes/exec/port-owner.ts";

/** A process that does nothing until it is killed. */
async function idleProcess(): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn("sleep", ["1000"], { stdio: "ignore" });
  await once(child, "spawn");
  return child as ChildProcess & { readonly pid: number };
}

for (const host of ["127.0.0.1", "::"]) {
  test(`portProblem() knows a port of ${host} of the process and of its descendants from a stranger's`, async (t) => {
    const server = createServer();
    t.after(() => server.close());
    server.listen(0, host);
    const how = await Promise.race([once(server, "listening"), once(server, "error")]);
    if (how[0] instanceof Error) return t.diagnostic("this kernel has no IPv6");
    const { port } = server.address() as AddressInfo;
    const child = await idleProcess();
    t.after(() => child.kill("SIGKILL"));
    assert.equal(portProblem(process.pid, port), undefined);
    assert.equal(portProblem(process.ppid, port), undefined, "a descendant has it");
    assert.equal(portProblem(child.pid, port), `another process listens on port ${port}`);
    return undefined;
  });
}

test("portProblem() does not judge a port that nobody listens on", async (t) => {
  const child = await idleProcess();
  t.after(() => child.kill("SIGKILL"));
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  assert.equal(portProblem(child.pid, port), undefined);
});
