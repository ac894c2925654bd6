/**
 * The `exec` container: any program that speaks HTTP, behind the vassal's front. Each worker process has a loopback
 * socket of its own, inherited as descriptor 3 (`listen-fds`, sd_listen_fds(3)) or bound by itself on $PORT (`port`);
 * so it is always known which worker a request is with, who is ready, and when a worker is idle.
 */
import { StartFailure, type CreateRuntime, type RuntimeHost } from "../runtime.ts";
import { findProgram, findTool } from "./find-program.ts";
import { ProgramFleet } from "./program-fleet.ts";
import type { ProgramOptions } from "./program-worker.ts";
import type { ReadyTest } from "./readiness.ts";

export const createExecRuntime: CreateRuntime = (host) => {
  let fleet: ProgramFleet | undefined;
  return {
    kind: "fronted",
    async start() {
      fleet = new ProgramFleet(host, programOptions(host));
      await fleet.start();
    },
    handle(exchange) {
      if (fleet === undefined) exchange.fail(503, "Cannot serve: the program is not started");
      else fleet.handle(exchange);
    },
    beginDrain: () => fleet?.beginDrain(),
    stop: () => fleet?.stop() ?? Promise.resolve(),
    workers: () => fleet?.workers() ?? [],
    get answered() {
      return fleet?.answeredCount ?? 0;
    },
  };
};

/** Throws StartFailure when the program cannot be run at all: before anything is spawned. */
function programOptions(host: RuntimeHost): ProgramOptions {
  const { config, env, release } = host.spec;
  if (config.app.kind !== "exec")
    throw new TypeError(`Cannot run a ${config.app.kind} application`);
  const [name, ...args] = config.app.argv;
  if (name === undefined) throw new StartFailure("Cannot run the program: 'exec' is empty");
  const { socket } = config.exec;
  return {
    launch: {
      program: findProgram(name, release, env["PATH"]),
      args,
      env,
      socket,
      setpriv: findTool("setpriv"),
    },
    directory: release,
    readyTest: readyTest(host),
    logLine: host.logLine.bind(host),
  };
}

function readyTest(host: RuntimeHost): ReadyTest {
  const { health, exec } = host.spec.config;
  if (health !== undefined) return { kind: "health", path: health };
  return { kind: exec.socket === "port" ? "connect" : "any-answer" };
}
