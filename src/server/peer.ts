/** Both ends of a connection as applications see them. */
import type { Socket } from "node:net";
import type { Peer } from "./exchange.ts";

/** Asks the kernel, so once for a connection. IPv4 on a dual-stack socket is shown as IPv4. */
export function peerOf(socket: Socket): Peer {
  return {
    address: plain(socket.remoteAddress),
    port: socket.remotePort ?? 0,
    localAddress: plain(socket.localAddress),
    localPort: socket.localPort ?? 0,
  };
}

function plain(address: string | undefined): string {
  if (address === undefined) return "";
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
