import assert from "node:assert/strict";
import test from "node:test";
import { planLaunch } from "../../../src/launch/plan.ts";
import type { LaunchOrder } from "../../../src/launch/plan.ts";
import { sampleConfig, tcp } from "../../kit/vassal-config.ts";

const ORDER: LaunchOrder = {
  name: "blog",
  generation: 3,
  config: sampleConfig({ env: { LD_PRELOAD: "/x.so", MODE: "live" } }),
  file: "/v/blog.yaml",
  listeners: [
    { fd: 20, address: tcp(1) },
    { fd: 30, address: tcp(2) },
  ],
  defaultLogFile: "/s/blog.log",
  runtimeDir: "/run/tsgi",
  link: { path: "/run/tsgi/link.sock", token: "t" },
  programs: {
    node: "/n/node",
    nodeWorker: "/d/node-worker.cjs",
    pythonBridge: "/d/bridge.py",
    vassal: "/d/vassal.cjs",
  },
  env: { PATH: "/bin" },
  envPass: [],
};

const FACTS = {
  release: "/srv/r1",
  directory: "/srv/current",
  logFile: "/s/blog.log",
  scratch: "/run/tsgi/s/0",
  fileEnv: {},
};

test("planLaunch() runs the vassal program with node and gives it everything as data", () => {
  const { spec, argv, cwd } = planLaunch(ORDER, FACTS);
  assert.deepEqual(argv, ["/n/node", "/d/vassal.cjs"]);
  assert.equal(cwd, "/srv/r1");
  assert.deepEqual(
    spec.listeners.map(({ fd }) => fd),
    [4, 5],
  );
  assert.equal(spec.release, "/srv/r1");
  assert.equal(spec.directory, "/srv/current");
  assert.deepEqual(spec.programs, {
    node: "/n/node",
    nodeWorker: "/d/node-worker.cjs",
    pythonBridge: "/d/bridge.py",
  });
});

test("planLaunch() keeps what 'env' says away from the programs that run before the application", () => {
  const { spec, env } = planLaunch(ORDER, FACTS);
  assert.deepEqual(env, { PATH: "/bin" });
  assert.deepEqual(spec.env, { PATH: "/bin", LD_PRELOAD: "/x.so", MODE: "live" });
});

test("planLaunch() sets limits before identity, each by a program that execs the next", () => {
  const config = sampleConfig({ limits: { openFiles: 4096, tasks: 64, coreBytes: 0 } });
  const { argv } = planLaunch(
    { ...ORDER, config },
    {
      ...FACTS,
      prlimit: "/usr/bin/prlimit",
      setpriv: "/usr/bin/setpriv",
      identity: { uid: 33, gid: 34, user: "www-data" },
    },
  );
  assert.deepEqual(argv, [
    "/usr/bin/prlimit",
    "--nofile=4096",
    "--nproc=64",
    "--core=0",
    "/usr/bin/setpriv",
    "--reuid=33",
    "--regid=34",
    "--init-groups",
    "--no-new-privs",
    "--inh-caps=-all",
    "/n/node",
    "/d/vassal.cjs",
  ]);
});

test("planLaunch() takes all groups away from a uid without an account", () => {
  const { argv } = planLaunch(ORDER, { ...FACTS, setpriv: "/s", identity: { uid: 7, gid: 7 } });
  assert.ok(argv.includes("--clear-groups"));
});
