/** Who is at the other end of a unix socket connection, as the kernel saw it connect. */
import type { Socket } from "node:net";
import { peerCredentials } from "./native.ts";
import type { PeerCredentials } from "./native.ts";

/** The peer of a connection of a unix socket server; undefined when it is gone or not known. */
export function peerOf(socket: Socket): PeerCredentials | undefined {
  const fd = descriptorOf(socket);
  return fd === undefined ? undefined : peerCredentials(fd);
}

/** Node keeps the descriptor in the undocumented `_handle`, the same in all releases since 0.x. */
function descriptorOf(socket: Socket): number | undefined {
  if (!("_handle" in socket)) return undefined;
  const handle: unknown = socket._handle;
  if (typeof handle !== "object" || handle === null || !("fd" in handle)) return undefined;
  return typeof handle.fd === "number" && handle.fd >= 0 ? handle.fd : undefined;
}
