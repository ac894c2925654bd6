/** The node container without a vassal around it: real workers on a real socket, and everything they said. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HttpLimits, VassalConfig } from "../../src/config/vassal-config.ts";
import type { VassalEvent } from "../../src/ipc/link.ts";
import type { VassalSpec } from "../../src/ipc/vassal-spec.ts";
import { listenAt, localPort } from "../../src/platform/sockets.ts";
import { createNodeRuntime } from "../../src/runtimes/node/runtime.ts";
import type { AcceptingRuntime } from "../../src/runtimes/runtime.ts";
import { ROOT } from "./paths.ts";
import { sampleConfig } from "./vassal-config.ts";

export interface NodeFixture extends AsyncDisposable {
  readonly runtime: AcceptingRuntime;
  readonly port: number;
  readonly url: string;
  /** "w1 out| text" … */
  readonly lines: readonly string[];
  readonly events: readonly VassalEvent[];
  /** Resolves with the first line, old or new, that matches. */
  line(pattern: RegExp): Promise<string>;
}

const LIMITS: HttpLimits = {
  maxTargetBytes: 8192,
  maxHeadBytes: 65_536,
  maxHeaders: 100,
  maxBodyBytes: 64 * 1024 * 1024,
  headTimeoutMs: 10_000,
  bodyTimeoutMs: 10_000,
  keepAliveMs: 1000,
  sendTimeoutMs: 10_000,
  maxConnections: 1000,
};

const CONFIG: VassalConfig = sampleConfig({
  app: { kind: "node", target: "" },
  listen: [],
  readyTimeoutMs: 20_000,
  drainTimeoutMs: 10_000,
  http: LIMITS,
});

/** Creates the container; `start` and `serve` are the test's business unless `serveNow`. */
export async function startNode(
  release: string,
  target: string,
  options: Partial<VassalConfig> & { readonly worker?: string; readonly loadOnly?: boolean } = {},
): Promise<NodeFixture> {
  const { worker, loadOnly, ...config } = options;
  const socket = listenAt({
    kind: "tcp",
    protocol: "http",
    host: "127.0.0.1",
    port: 0,
    text: "http://127.0.0.1:0",
  });
  const port = localPort(socket.fd);
  const url = `http://127.0.0.1:${port}`;
  const scratch = mkdtempSync(join(tmpdir(), "tsgi-node-"));
  const lines: string[] = [];
  const events: VassalEvent[] = [];
  const waiting = new Set<() => void>();
  const spec: VassalSpec = {
    linkVersion: 1,
    name: "test",
    generation: 1,
    config: { ...CONFIG, ...config, app: { kind: "node", target } },
    release: realpathSync(release),
    directory: release,
    env: { PATH: process.env["PATH"] ?? "", HOME: scratch },
    listeners: [
      {
        fd: socket.fd,
        address: { kind: "tcp", protocol: "http", host: "127.0.0.1", port, text: url },
      },
    ],
    logFile: join(scratch, "log"),
    scratch,
    programs: {
      node: process.execPath,
      nodeWorker: worker ?? join(ROOT, "src/runtimes/node/worker-main.ts"),
      pythonBridge: "",
    },
  };
  const runtime = createNodeRuntime({
    spec,
    logLine: (id, stream, line) => {
      lines.push(`w${id} ${stream}| ${line}`);
      for (const check of waiting) check();
    },
    event: (event) => {
      events.push(event);
      lines.push(`event ${event.kind}| ${event.message}`);
      for (const check of waiting) check();
    },
    lastLines: () => [],
  });
  if (runtime.kind !== "accepting") throw new Error("the node runtime accepts by itself");
  const dispose = async (): Promise<void> => {
    await runtime.stop();
    socket.close();
    rmSync(scratch, { recursive: true, force: true });
  };
  try {
    await runtime.start();
    if (loadOnly !== true) await runtime.serve();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    runtime,
    port,
    url,
    lines,
    events,
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
