/** Options of where a vassal serves. */
import { vassalOption } from "../option.ts";
import { listOf } from "../types/lists.ts";
import { laterProtocol, listenUrl, socketForm } from "../types/listen-address.ts";

const sockets = listOf(socketForm);
const later = (name: string, protocol: string) => ({
  name,
  note: `the protocol ${protocol} is not spoken yet`,
  type: listOf(laterProtocol(protocol)),
});

export const listen = vassalOption({
  name: "listen",
  family: "listen",
  type: listOf(listenUrl),
  defaultText: "none: a vassal has to say where it serves",
  doc: "Where the vassal serves: one address or a list. A TCP address is http://host:port with an IPv4 address, an IPv6 address in brackets, localhost, or no host for all interfaces; a unix socket is http+unix:///path. The emperor holds the socket, so no deploy loses a connection that waits in it.",
  example: "listen: http://127.0.0.1:8001",
  aliases: [
    { name: "http-socket", note: "host:port, :port or a path", type: sockets },
    { name: "http11-socket", note: "host:port, :port or a path", type: sockets },
    { name: "http", note: "host:port, :port or a path; a mapping holds the limits", type: sockets },
    later("https", "https"),
    later("https-socket", "https"),
    later("socket", "uwsgi"),
    later("uwsgi-socket", "uwsgi"),
    later("fastcgi-socket", "fastcgi"),
    later("scgi-socket", "scgi"),
    later("raw-socket", "raw"),
  ],
});
