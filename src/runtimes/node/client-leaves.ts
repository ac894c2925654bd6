/**
 * A client that closes its side while its request is under way has left: most close without a reset, and nothing would
 * tell the application. As in Node (`httpAllowHalfOpen` is off by default), such a connection is ended.
 */
import type { Socket } from "node:net";
import type { Flights } from "./flights.ts";

const WATCHED = Symbol("tsgi.watched");

type Watched = Socket & { [WATCHED]?: true };

/** Called for every request; costs one look at the socket after the first one on it. */
export function noticeLeaving(socket: Watched, flights: Flights): void {
  if (socket[WATCHED] === true) return;
  socket[WATCHED] = true;
  socket.once("end", () => {
    if (flights.all().some(({ exchange }) => exchange.socket === socket && !exchange.done)) {
      socket.destroy();
    }
  });
}
