/** The absolute URL of a request, as `Request.url` has to show it. */
import type { Exchange } from "../../server/exchange.ts";

/** Lower case, no user, no IPv6: candidates for a host that URL parsing leaves alone. */
const PLAIN_HOST = /^[a-z0-9]+(?:[-.][a-z0-9]+)*(?::\d{1,5})?$/;
/** Hosts are few, but anybody may send any: the last good one is remembered. */
let plainHost = "";
/** Path and query without anything that is escaped or normalised; dots only inside a segment. */
const PLAIN_TARGET = /^(?:\/(?!\.)[\w\-.~!$&()*+,;=:@]*)*(?:\?[\w\-.~!$&()*+,;=:@%/?]*)?$/;

/** Throws TypeError when host and target make no URL. */
export function requestUrl(exchange: Exchange): string {
  const { head, peer, secure } = exchange;
  const target = head.target.startsWith("/") ? head.target : "/";
  const host = head.host === "" ? localHost(peer.localAddress, peer.localPort) : head.host;
  const text = `${secure ? "https" : "http"}://${host}${target}`;
  if ((host === plainHost || isPlain(host)) && (target === "/" || PLAIN_TARGET.test(target))) {
    return text;
  }
  return hrefOf(text, host);
}

/** True when parsing changes nothing, whatever the scheme: default ports and odd IPv4 notations do not pass. */
function isPlain(host: string): boolean {
  if (!PLAIN_HOST.test(host)) return false;
  for (const scheme of ["http", "https"]) {
    const url = `${scheme}://${host}/`;
    if (!URL.canParse(url) || new URL(url).href !== url) return false;
  }
  plainHost = host;
  return true;
}

function hrefOf(text: string, host: string): string {
  const url = new URL(text);
  // "user@host", "host/path" and the like in a Host header would change what the path is.
  if (url.username !== "" || url.password !== "" || /[/?#@\\]/.test(host)) {
    throw new TypeError(`Cannot build the URL of a request: its Host is ${JSON.stringify(host)}`);
  }
  return url.href;
}

function localHost(address: string, port: number): string {
  if (address === "") return "localhost";
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}
