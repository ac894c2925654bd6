/** One inherited listening socket: accepts, and leaves connections in the kernel's queue while it is told to. */
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";

/** Length of the kernel's queue; listen(2) is called again with it (its cap is net.core.somaxconn). */
const BACKLOG = 4096;

/** The part of a libuv stream that stops and starts its watching; not public in Node, so its presence is checked. */
interface Watched {
  readStart(): number;
  readStop(): number;
}

export class Listener {
  readonly #server: Server;
  readonly #fd: number;
  #isPaused = false;

  constructor(fd: number, onConnection: (socket: Socket) => void, onError: (error: Error) => void) {
    this.#fd = fd;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection);
    this.#server.on("error", onError);
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      // The second positional argument is the backlog; `{ fd, backlog }` is ignored by Node for descriptors.
      this.#server.listen({ fd: this.#fd }, BACKLOG, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
  }

  /**
   * Stops or goes on watching the descriptor. Node has no public way: closing would lose the inherited descriptor for good. A
   * listening handle made from a descriptor is a stream for libuv, and readStart/readStop add and remove
   * its one watcher (uv__io_start, uv__io_stop). Returns false when this Node cannot.
   */
  setPaused(paused: boolean): boolean {
    if (paused === this.#isPaused) return true;
    const handle = watchedHandle(this.#server);
    if (handle === undefined) return false;
    // readStop does nothing unless the stream counts as reading, so it is first told to.
    handle.readStart();
    if (paused) handle.readStop();
    this.#isPaused = paused;
    return true;
  }

  /** Closes the listening handle only; connections live on. The descriptor is closed when this returns. */
  close(): void {
    this.#server.close();
  }
}

function watchedHandle(server: Server): Watched | undefined {
  const handle: unknown = Reflect.get(server, "_handle");
  return isWatched(handle) ? handle : undefined;
}

function isWatched(value: unknown): value is Watched {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof Reflect.get(value, "readStart") === "function" &&
    typeof Reflect.get(value, "readStop") === "function"
  );
}
