/** The unix socket where loader and workers report; each connection says in its first line who it is. */
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { StartFailure } from "../runtime.ts";
import { isSameToken } from "./token.ts";

/** "TOKEN ROLE TICKET PID\n" */
export interface Hello {
  readonly role: string;
  readonly ticket: number;
  readonly pid: number;
}

const HELLO_MAX = 256;
const SOCKET_PATH_MAX = 107;

export class DialIn {
  readonly path: string;
  readonly #token: string;
  readonly #greeted: (hello: Hello, socket: Socket, rest: Buffer) => void;
  #server: Server | undefined;

  /** `greeted` gets the socket, paused, and what came behind the first line. */
  constructor(
    path: string,
    token: string,
    greeted: (hello: Hello, socket: Socket, rest: Buffer) => void,
  ) {
    this.path = path;
    this.#token = token;
    this.#greeted = greeted;
  }

  /** Listens. Rejects with StartFailure when the path is too long for a socket, or taken. */
  async listen(): Promise<void> {
    if (Buffer.byteLength(this.path) > SOCKET_PATH_MAX) {
      throw new StartFailure(
        `Cannot listen on ${this.path}: a socket path has at most ${SOCKET_PATH_MAX} bytes; choose a shorter --runtime-dir`,
      );
    }
    const server = createServer({ pauseOnConnect: false }, (socket) => this.#greet(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) =>
        reject(new StartFailure(`Cannot listen on ${this.path}: ${error.message}`)),
      );
      server.listen(this.path, resolve);
    });
  }

  close(): void {
    this.#server?.close();
  }

  #greet(socket: Socket): void {
    let seen = Buffer.alloc(0);
    socket.on("error", () => undefined);
    const take = (chunk: Buffer): void => {
      seen = seen.length === 0 ? Buffer.from(chunk) : Buffer.concat([seen, chunk]);
      const end = seen.indexOf(10);
      if (end < 0 && seen.length <= HELLO_MAX) return;
      socket.off("data", take);
      const hello = end < 0 ? undefined : this.#parse(seen.toString("latin1", 0, end));
      if (hello === undefined) {
        socket.destroy();
        return;
      }
      this.#greeted(hello, socket, seen.subarray(end + 1));
    };
    socket.on("data", take);
  }

  #parse(line: string): Hello | undefined {
    const [token = "", role = "", ticket = "", pid = ""] = line.split(" ");
    if (!isSameToken(token, this.#token)) return undefined;
    return { role, ticket: Number(ticket), pid: Number(pid) };
  }
}
