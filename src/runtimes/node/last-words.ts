/** Answers written straight to the descriptors of sockets, when the event loop will not run any more. */
import { writeSync } from "node:fs";
import type { Flight } from "./flights.ts";

const REASONS: Readonly<Record<number, string>> = {
  502: "Bad Gateway",
  504: "Gateway Timeout",
};

/** A whole response that ends the connection. */
export function lastWords(status: 502 | 504): string {
  const body = `${status} ${REASONS[status] ?? ""}\n`;
  return (
    `HTTP/1.1 ${status} ${REASONS[status] ?? ""}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    `X-Content-Type-Options: nosniff\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`
  );
}

/** The descriptor where last words may be written: nothing of the response, nor of an earlier one, is under way. */
export function silentDescriptor(flight: Flight): number | undefined {
  const { exchange } = flight;
  if (exchange.started || exchange.done || exchange.secure) return undefined;
  const { socket } = exchange;
  if (socket.destroyed || socket.writableLength > 0) return undefined;
  // Node has no public name for it; undefined once the handle is closed.
  const handle = (socket as unknown as { readonly _handle?: { readonly fd?: number } | null })
    ._handle;
  return handle?.fd !== undefined && handle.fd > 2 ? handle.fd : undefined;
}

/** True when the kernel took all of it. */
export function speak(fd: number, status: 502 | 504): boolean {
  const text = lastWords(status);
  try {
    return writeSync(fd, text, null, "latin1") === text.length;
  } catch {
    // The client is gone, or does not read: it gets a reset, as it would have without us.
    return false;
  }
}
