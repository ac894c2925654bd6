/** A front in a process of its own, on a listening socket made here and inherited by it. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type { HttpLimits } from "../../src/config/vassal-config.ts";
import type { TrafficCounters } from "../../src/ipc/link.ts";
import { RawClient } from "./raw-client.ts";

export const FRONT_LIMITS: HttpLimits = {
  maxTargetBytes: 8192,
  maxHeadBytes: 32_768,
  maxHeaders: 100,
  maxBodyBytes: 16_777_216,
  headTimeoutMs: 30_000,
  bodyTimeoutMs: 30_000,
  keepAliveMs: 30_000,
  sendTimeoutMs: 30_000,
  maxConnections: 1000,
};

export interface FrontSettings extends Partial<HttpLimits> {
  readonly requestLog?: string;
  /** Put before the command line, for instance prlimit. */
  readonly wrapper?: readonly string[];
}

interface Message {
  readonly type: string;
  readonly [key: string]: unknown;
}

const PROGRAM = fileURLToPath(new URL("../fixtures/programs/front.ts", import.meta.url));

export class FrontProcess implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #messages: Message[] = [];
  readonly #waiting: { readonly type: string; readonly resolve: (message: Message) => void }[] = [];
  readonly #clients: RawClient[] = [];

  constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
    child.on("message", (message: Message) => this.#take(message));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The next message of a type, also one that came before; each is given out once. */
  message(type: string): Promise<Message> {
    const index = this.#messages.findIndex((message) => message.type === type);
    const [found] = index === -1 ? [] : this.#messages.splice(index, 1);
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve) => {
      this.#waiting.push({ type, resolve });
    });
  }

  send(message: Message): void {
    this.#child.send(message);
  }

  async counters(): Promise<TrafficCounters> {
    this.send({ type: "counters" });
    return (await this.message("counters"))["counters"] as TrafficCounters;
  }

  async connect(): Promise<RawClient> {
    const client = await RawClient.connect(this.port);
    this.#clients.push(client);
    return client;
  }

  /** Sends `raw`, half-closes, and gives everything that came until the other side closed. */
  async talk(raw: string | Buffer): Promise<string> {
    const client = await this.connect();
    client.write(raw);
    client.end();
    return client.untilClosed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.destroy();
    if (!this.isAlive) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }

  #take(message: Message): void {
    const index = this.#waiting.findIndex(({ type }) => type === message.type);
    const [waiting] = index === -1 ? [] : this.#waiting.splice(index, 1);
    if (waiting === undefined) this.#messages.push(message);
    else waiting.resolve(message);
  }
}

export async function startFront(settings: FrontSettings = {}): Promise<FrontProcess> {
  const { requestLog = "none", wrapper = [], ...limits } = settings;
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const argument = JSON.stringify({ limits: { ...FRONT_LIMITS, ...limits }, requestLog });
  const [command, ...args] = [...wrapper, process.execPath, PROGRAM, argument];
  const fd: unknown = Reflect.get(Reflect.get(server, "_handle") as object, "fd");
  const child = spawn(command, args, {
    stdio: ["ignore", "inherit", "inherit", fd as number, "ipc"],
  });
  // The child has its copy of the descriptor; nobody has connected yet.
  server.close();
  const front = new FrontProcess(port, child);
  await front.message("serving");
  return front;
}
