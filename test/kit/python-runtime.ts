/** The Python container behind a front of its own, without a vassal around it: real workers, and everything they said. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HttpLimits, VassalConfig } from "../../src/config/vassal-config.ts";
import type { VassalEvent } from "../../src/ipc/link.ts";
import type { VassalSpec } from "../../src/ipc/vassal-spec.ts";
import { listenAt, localPort } from "../../src/platform/sockets.ts";
import { createPythonRuntime } from "../../src/runtimes/python/runtime.ts";
import type { FrontedRuntime } from "../../src/runtimes/runtime.ts";
import { Front } from "../../src/server/front.ts";
import { eventually } from "./eventually.ts";
import { ROOT } from "./paths.ts";
import { sampleConfig } from "./vassal-config.ts";

export const PYTHON_APPS: string = join(ROOT, "test/fixtures/apps/python");

export interface PythonFixture extends AsyncDisposable {
  readonly runtime: FrontedRuntime;
  readonly front: Front;
  readonly port: number;
  readonly url: string;
  /** "w1 out| text" … */
  readonly lines: readonly string[];
  readonly events: readonly VassalEvent[];
  readonly scratch: string;
  /** Resolves with the first line, old or new, that matches. */
  line(pattern: RegExp): Promise<string>;
}

const LIMITS: HttpLimits = {
  maxTargetBytes: 8192,
  maxHeadBytes: 65_536,
  maxHeaders: 100,
  maxBodyBytes: 256 * 1024 * 1024,
  headTimeoutMs: 10_000,
  bodyTimeoutMs: 20_000,
  keepAliveMs: 5000,
  sendTimeoutMs: 20_000,
  maxConnections: 1000,
};

const CONFIG: VassalConfig = sampleConfig({
  app: { kind: "python", target: "" },
  listen: [],
  readyTimeoutMs: 20_000,
  drainTimeoutMs: 10_000,
  http: LIMITS,
});

/** Serves `target` of the folder `release`; rejects as `runtime.start` does. `env` is added to the application's. */
export async function startPython(
  release: string,
  target: string,
  options: Partial<VassalConfig> = {},
): Promise<PythonFixture> {
  const socket = listenAt({
    kind: "tcp",
    protocol: "http",
    host: "127.0.0.1",
    port: 0,
    text: "http://127.0.0.1:0",
  });
  const port = localPort(socket.fd);
  const url = `http://127.0.0.1:${port}`;
  const scratch = mkdtempSync(join(tmpdir(), "tsgi-python-"));
  const lines: string[] = [];
  const events: VassalEvent[] = [];
  const waiting = new Set<() => void>();
  const say = (line: string): void => {
    lines.push(line);
    for (const check of waiting) check();
  };
  const listeners: VassalSpec["listeners"] = [
    {
      fd: socket.fd,
      address: { kind: "tcp", protocol: "http", host: "127.0.0.1", port, text: url },
    },
  ];
  const config: VassalConfig = {
    ...CONFIG,
    ...options,
    http: { ...LIMITS, ...options.http },
    app: { kind: "python", target },
  };
  const spec: VassalSpec = {
    linkVersion: 1,
    name: "test",
    generation: 1,
    config,
    release: realpathSync(release),
    directory: release,
    env: {
      PATH: "/usr/local/bin:/usr/bin:/bin",
      HOME: scratch,
      PYTHONDONTWRITEBYTECODE: "1",
      ...options.env,
    },
    listeners,
    logFile: join(scratch, "log"),
    scratch,
    programs: {
      node: process.execPath,
      nodeWorker: "",
      pythonBridge: join(ROOT, "src/runtimes/python/tsgi_bridge.py"),
    },
  };
  const runtime = createPythonRuntime({
    spec,
    logLine: (id, stream, line) => say(`w${id} ${stream}| ${line}`),
    event: (event) => {
      events.push(event);
      say(`event ${event.kind}| ${event.message}`);
    },
    lastLines: () => [],
  });
  if (runtime.kind !== "fronted") throw new Error("the python runtime is behind a front");
  const front = new Front({
    fds: listeners,
    limits: config.http,
    handler: runtime.handle,
    requestLog: "none",
    writeLog: () => undefined,
    onFault: (message) => say(`fault| ${message}`),
  });
  let isServing = false;
  const dispose = async (): Promise<void> => {
    front.stop();
    await runtime.stop();
    // A front that listens owns the descriptor.
    if (!isServing) socket.close();
    rmSync(scratch, { recursive: true, force: true });
  };
  try {
    await runtime.start();
    await front.serve();
    isServing = true;
    await eventually("all workers are ready", () =>
      runtime.workers().every((worker) => worker.state !== "starting"),
    );
  } catch (error) {
    if (error instanceof Error) Object.assign(error, { lines });
    await dispose();
    throw error;
  }
  return {
    runtime,
    front,
    port,
    url,
    lines,
    events,
    scratch,
    line: (pattern) =>
      new Promise((resolve) => {
        const check = (): void => {
          const found = lines.find((line) => pattern.test(line));
          if (found === undefined) return;
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
      }),
    [Symbol.asyncDispose]: dispose,
  };
}
