/** How a worker of an exec program is started. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { planLaunch } from "../../../../src/runtimes/exec/launch-plan.ts";

const FACTS = {
  program: "/srv/app/server",
  args: ["--name", '$(id); "x" `y`'],
  env: { PATH: "/bin", LISTEN_FDS: "7", LISTEN_PID: "1", LISTEN_FDNAMES: "old", PORT: "1" },
  host: "127.0.0.1",
  port: 4711,
  setpriv: "/usr/bin/setpriv",
} as const;

test("planLaunch() gives a listen-fds program its socket and the variables of sd_listen_fds(3)", () => {
  const plan = planLaunch({ ...FACTS, socket: "listen-fds" });
  assert.equal(plan.inheritsSocket, true);
  assert.deepEqual(plan.env, {
    PATH: "/bin",
    PORT: "4711",
    HOST: "127.0.0.1",
    LISTEN_FDS: "1",
    LISTEN_FDNAMES: "http",
  });
});

test("planLaunch() keeps what the user wrote out of the script", () => {
  const plan = planLaunch({ ...FACTS, socket: "listen-fds" });
  assert.deepEqual(plan.argv.slice(0, 6), [
    "/usr/bin/setpriv",
    "--pdeathsig",
    "TERM",
    "--",
    "/bin/sh",
    "-c",
  ]);
  assert.equal(plan.argv[6], 'exec 3<&0 0</dev/null; LISTEN_PID=$$; export LISTEN_PID; exec "$@"');
  assert.deepEqual(plan.argv.slice(7), ["sh", FACTS.program, ...FACTS.args]);
});

test("planLaunch() runs a port program without a shell and without inherited variables", () => {
  const plan = planLaunch({ ...FACTS, socket: "port", setpriv: undefined });
  assert.deepEqual(plan.argv, [FACTS.program, ...FACTS.args]);
  assert.deepEqual(plan.env, { PATH: "/bin", PORT: "4711", HOST: "127.0.0.1" });
  assert.equal(plan.inheritsSocket, false);
});
