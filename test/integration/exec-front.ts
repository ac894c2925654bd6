/** A runtime behind the real HTTP front, in this process: what a vassal process is without its emperor. */
import type {
  AppConfig,
  ExecSocket,
  StaticConfig,
  VassalConfig,
} from "../../src/config/vassal-config.ts";
import { LINK_VERSION } from "../../src/core/version.ts";
import type { VassalEvent } from "../../src/ipc/link.ts";
import type { VassalSpec } from "../../src/ipc/vassal-spec.ts";
import { listenAt, localPort } from "../../src/platform/sockets.ts";
import type { CreateRuntime, FrontedRuntime } from "../../src/runtimes/runtime.ts";
import { Front } from "../../src/server/front.ts";
import { sampleConfig } from "../kit/vassal-config.ts";

export interface SiteOptions {
  readonly app: AppConfig;
  readonly release: string;
  readonly socket?: ExecSocket;
  readonly static?: Partial<StaticConfig>;
  readonly config?: Partial<VassalConfig>;
  readonly env?: Readonly<Record<string, string>>;
}

export class Site implements AsyncDisposable {
  readonly port: number;
  readonly runtime: FrontedRuntime;
  readonly front: Front;
  readonly lines: string[];
  readonly events: VassalEvent[];
  #stopped = false;

  private constructor(parts: Pick<Site, "port" | "runtime" | "front" | "lines" | "events">) {
    this.port = parts.port;
    this.runtime = parts.runtime;
    this.front = parts.front;
    this.lines = parts.lines;
    this.events = parts.events;
  }

  /** Rejects as `runtime.start` does, with everything of the runtime gone. */
  static async open(create: CreateRuntime, options: SiteOptions): Promise<Site> {
    const spec = siteSpec(options);
    const lines: string[] = [];
    const events: VassalEvent[] = [];
    const runtime = create({
      spec,
      logLine: (worker, stream, line) => lines.push(`w${worker} ${stream}| ${line}`),
      event: (event) => events.push(event),
      lastLines: () => lines,
    });
    if (runtime.kind !== "fronted") throw new TypeError("Cannot use a runtime without a front");
    try {
      await runtime.start();
    } catch (error) {
      await runtime.stop();
      if (error instanceof Error) error.message += `\n${lines.join("\n")}`;
      throw error;
    }
    const address = {
      kind: "tcp",
      protocol: "http",
      host: "127.0.0.1",
      port: 0,
      text: "http://127.0.0.1:0",
    } as const;
    const socket = listenAt(address);
    const port = localPort(socket.fd);
    const front = new Front({
      fds: [{ fd: socket.fd, address }],
      limits: spec.config.http,
      handler: runtime.handle,
      requestLog: "none",
      writeLog: () => undefined,
      onFault: (message) => lines.push(`w0 tsgi| ${message}`),
    });
    await front.serve();
    return new Site({ port, runtime, front, lines, events });
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.front.stop();
    this.runtime.beginDrain();
    await this.runtime.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function siteSpec(options: SiteOptions): VassalSpec {
  return {
    linkVersion: LINK_VERSION,
    name: "site",
    generation: 1,
    config: sampleConfig({
      app: options.app,
      listen: [],
      readyTimeoutMs: 20_000,
      drainTimeoutMs: 5000,
      http: {
        maxTargetBytes: 8192,
        maxHeadBytes: 65_536,
        maxHeaders: 100,
        maxBodyBytes: 64 * 1024 * 1024,
        headTimeoutMs: 20_000,
        bodyTimeoutMs: 20_000,
        keepAliveMs: 5000,
        sendTimeoutMs: 20_000,
        maxConnections: 1000,
      },
      static: {
        index: ["index.html"],
        followSymlinks: false,
        precompressed: true,
        ...options.static,
      },
      exec: { socket: options.socket ?? "listen-fds" },
      ...options.config,
    }),
    release: options.release,
    directory: options.release,
    env: { PATH: process.env["PATH"] ?? "", ...options.env },
    listeners: [],
    logFile: "/dev/null",
    scratch: options.release,
    programs: { node: process.execPath, nodeWorker: "", pythonBridge: "" },
  };
}
