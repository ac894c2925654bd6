/** The emperor's end of the channel: vassals dial in, and who they are is decided by the kernel's word, token and generation. */
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { chmodSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { messageOf, TsgiError } from "../core/errors.ts";
import { encodeLine, LineDecoder } from "../ipc/link.ts";
import type { FromVassal, ToVassal } from "../ipc/link.ts";
import { parseFromVassal } from "./link-messages.ts";

/** From connect to hello. */
const HELLO_TIMEOUT_MS = 5000;
/** Messages in a burst, and each second after it; more is read later. */
const BURST = 500;
const PER_SECOND = 100;
const PAUSE_MS = 1000;
/** A vassal that does not read its channel is cut off before it costs memory here. */
const OUTPUT_MAX_BYTES = 65_536;
const PATH_MAX_BYTES = 107;

export type Hello = Extract<FromVassal, { type: "hello" }>;

/** What belongs to one recognised vassal process. */
export interface LinkOwner {
  /** The link is up; `link` replaces an older one. */
  attach(link: Link): void;
  receive(message: Exclude<FromVassal, Hello>): void;
  /** Garbage: the connection is closed. */
  broken(reason: string): void;
  detach(link: Link): void;
  /** Something odd that happens once. */
  odd(message: string): void;
}

export interface Link {
  send(message: ToVassal): void;
  close(): void;
  /** Resolves when everything the vassal said has been read. */
  readonly closed: Promise<void>;
}

export interface LinkServerOptions {
  readonly path: string;
  /** 0600, or 0666 when vassals run as other users: the kernel's word about the peer protects it then. */
  readonly mode: number;
  peerOf(socket: Socket): { readonly pid: number } | undefined;
  /** The generation that this process is, or undefined to turn it away. */
  identify(hello: Hello, peerPid: number): LinkOwner | undefined;
  readonly timers: { after(delayMs: number, callback: () => void): () => void };
}

export class LinkServer {
  readonly #options: LinkServerOptions;
  readonly #connections = new Set<Connection>();
  #server: Server | undefined;

  constructor(options: LinkServerOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { path, mode } = this.#options;
    const length = Buffer.byteLength(path);
    if (length > PATH_MAX_BYTES) {
      throw new TsgiError(
        "TSGI_PATH_TOO_LONG",
        `Cannot listen on "${path}": it has ${length} bytes, at most ${PATH_MAX_BYTES} are allowed`,
      );
    }
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    // The runtime dir is locked by this emperor, so what is there is left over.
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, () => resolve());
    });
    chmodSync(path, mode);
  }

  /** Makes the socket again when somebody cleaned the runtime dir; true when that was needed. */
  async ensure(): Promise<boolean> {
    if (existsSync(this.#options.path)) return false;
    // Connections that are open stay; only the listening handle goes.
    this.#server?.close();
    await this.start();
    return true;
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    await new Promise<void>((resolve) => {
      if (this.#server === undefined) resolve();
      else this.#server.close(() => resolve());
    });
  }

  #accept(socket: Socket): void {
    const connection = new Connection(socket, this.#options);
    this.#connections.add(connection);
    void connection.closed.finally(() => this.#connections.delete(connection));
  }
}

class Connection implements Link {
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #options: LinkServerOptions;
  readonly #decoder = new LineDecoder();
  #owner: LinkOwner | undefined;
  #allowance = BURST;
  #allowanceAtMs = performance.now();
  #cancelTimer: () => void;
  #said = new Set<string>();

  constructor(socket: Socket, options: LinkServerOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#cancelTimer = options.timers.after(HELLO_TIMEOUT_MS, () => socket.destroy());
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => this.#read(String(chunk)));
    // The close event follows.
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#cancelTimer();
        this.#owner?.detach(this);
        resolve();
      });
    });
  }

  send(message: ToVassal): void {
    if (this.#socket.writableLength > OUTPUT_MAX_BYTES) {
      this.#odd("it does not read its channel: the connection was closed");
      this.#socket.destroy();
      return;
    }
    // An answer that was asked for is no flood, however often people ask.
    if (message.type === "report") this.#allowance = Math.min(BURST, this.#allowance + 1);
    this.#socket.write(encodeLine(message));
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: string): void {
    try {
      for (const value of this.#decoder.push(chunk)) {
        if (this.#socket.destroyed) return;
        this.#take(parseFromVassal(value));
      }
    } catch (error) {
      this.#socket.destroy();
      this.#owner?.broken(`it sent garbage on its channel: ${messageOf(error)}`);
    }
    this.#limit();
  }

  #take(message: FromVassal | undefined): void {
    this.#allowance -= 1;
    if (message === undefined)
      this.#odd("it sent a message that this emperor does not know: ignored");
    else if (message.type === "hello") this.#greet(message);
    else if (this.#owner === undefined) this.#socket.destroy();
    else this.#owner.receive(message);
  }

  #greet(hello: Hello): void {
    if (this.#owner !== undefined) return;
    const peer = this.#options.peerOf(this.#socket);
    const owner = peer === undefined ? undefined : this.#options.identify(hello, peer.pid);
    if (owner === undefined) {
      this.#socket.destroy();
      return;
    }
    this.#cancelTimer();
    this.#owner = owner;
    owner.attach(this);
  }

  /** A flood is read slowly instead of being answered: the vassal's own buffer fills. */
  #limit(): void {
    const nowMs = performance.now();
    this.#allowance = Math.min(
      BURST,
      this.#allowance + ((nowMs - this.#allowanceAtMs) / 1000) * PER_SECOND,
    );
    this.#allowanceAtMs = nowMs;
    if (this.#allowance > 0 || this.#socket.destroyed) return;
    this.#odd("it floods its channel: it is read slowly from now on");
    this.#socket.pause();
    this.#cancelTimer = this.#options.timers.after(PAUSE_MS, () => this.#socket.resume());
  }

  #odd(message: string): void {
    if (this.#said.has(message)) return;
    this.#said.add(message);
    this.#owner?.odd(message);
  }
}
