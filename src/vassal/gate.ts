/** One way to look at both kinds of runtime: with the vassal's own front before it, or accepting by itself. */
import type { TrafficCounters, WorkerSnapshot } from "../ipc/link.ts";
import type { FrontedRuntime, Runtime, RuntimeHost } from "../runtimes/runtime.ts";
import { Front } from "../server/front.ts";
import { HealthProbe } from "./health-probe.ts";

export interface Gate {
  start(): Promise<void>;
  serve(): Promise<void>;
  drain(timeoutMs: number, released: () => void): Promise<void>;
  stop(): Promise<void>;
  counters(): TrafficCounters;
  workers(): readonly WorkerSnapshot[];
  answered(): number;
  healthy(): boolean;
}

export function createGate(
  host: RuntimeHost,
  runtime: Runtime,
  writeRequestLine: (line: string) => void,
): Gate {
  if (runtime.kind === "accepting") {
    return {
      start: () => runtime.start(),
      serve: () => runtime.serve(),
      drain: async (timeoutMs, released) => {
        runtime.beginDrain();
        await runtime.drain(timeoutMs, released);
      },
      stop: () => runtime.stop(),
      counters: () => runtime.counters(),
      workers: () => runtime.workers(),
      answered: () => runtime.answered,
      healthy: () => runtime.workers().some((worker) => worker.state !== "gone"),
    };
  }
  return frontedGate(host, runtime, writeRequestLine);
}

function frontedGate(
  host: RuntimeHost,
  runtime: FrontedRuntime,
  writeRequestLine: (line: string) => void,
): Gate {
  const { config, listeners } = host.spec;
  const front = new Front({
    fds: listeners,
    limits: config.http,
    handler: runtime.handle,
    requestLog: config.requestLog,
    writeLog: writeRequestLine,
    onFault: (message) => host.logLine(0, "tsgi", message),
  });
  const probe =
    config.health === undefined
      ? undefined
      : new HealthProbe({
          handle: runtime.handle,
          path: config.health,
          onChange: (healthy, message) =>
            host.event({ kind: healthy ? "healthy" : "unhealthy", message }),
        });
  return {
    start: async () => {
      await runtime.start();
      await probe?.start();
    },
    serve: () => front.serve(),
    drain: async (timeoutMs, released) => {
      probe?.stop();
      await front.drain(timeoutMs, released);
      runtime.beginDrain();
    },
    stop: async () => {
      probe?.stop();
      front.stop();
      await runtime.stop();
    },
    counters: () => front.counters(),
    workers: () => runtime.workers(),
    answered: () => runtime.answered,
    healthy: () => probe?.healthy ?? true,
  };
}
