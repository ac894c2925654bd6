/** A loopback address for one worker: a listening socket to hand over, or a free port to be told about. */
import { createServer, type Server } from "node:net";

export const BACKEND_HOST = "127.0.0.1";

export interface WorkerSocket {
  readonly port: number;
  /** Descriptor of the listening socket, valid until `release`. */
  readonly fd: number;
  /** Closes our copy; the worker's own, when it has inherited one, goes on listening. */
  release(): void;
}

/** A listening socket on a port that the kernel chose. Nobody knows the port, so nothing connects before the hand-over. */
export function openWorkerSocket(): Promise<WorkerSocket> {
  return new Promise((opened, rejected) => {
    const server = createServer((stranger) => stranger.destroy());
    server.once("error", rejected);
    server.listen({ host: BACKEND_HOST, port: 0, backlog: 1024 }, () => {
      const address = server.address();
      const fd = descriptorOf(server);
      if (fd === undefined || address === null || typeof address === "string") {
        server.close();
        rejected(new Error("Cannot hand a listening socket over: this Node hides its descriptor"));
        return;
      }
      opened({ port: address.port, fd, release: () => server.close() });
    });
  });
}

/** Node has no public name for it; the handle has carried it since 0.x. */
function descriptorOf(server: Server): number | undefined {
  const handle = (server as { readonly _handle?: { readonly fd?: unknown } })._handle;
  return typeof handle?.fd === "number" && handle.fd >= 0 ? handle.fd : undefined;
}
