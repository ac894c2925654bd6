/** The absolute URL of a request, as `Request.url` has to show it. */
import type { Exchange } from "../../server/exchange.ts";

/** Nothing in it that URL parsing would change: lower case, no default port, no user, no IPv6. */
const PLAIN_HOST = /^[a-z0-9]+(?:[-.][a-z0-9]+)*(?::(?!80$|443$)[1-9]\d{0,4})?$/;
/** Path and query without anything that is escaped or normalised; dots only inside a segment. */
const PLAIN_TARGET = /^(?:\/(?!\.)[\w\-.~!$&()*+,;=:@%]*)*(?:\?[\w\-.~!$&()*+,;=:@%/?]*)?$/;

/** Throws TypeError when host and target make no URL. */
export function requestUrl(exchange: Exchange): string {
  const { head, peer, secure } = exchange;
  const target = head.target.startsWith("/") ? head.target : "/";
  const host = head.host === "" ? localHost(peer.localAddress, peer.localPort) : head.host;
  const text = `${secure ? "https" : "http"}://${host}${target}`;
  // A host that ends in a number is an IPv4 address in some notation: the parser knows.
  if (PLAIN_HOST.test(host) && !/(?:^|\.)\d[\da-fx]*(?::\d+)?$/.test(host)) {
    if (PLAIN_TARGET.test(target) && !/%2e/i.test(target)) return text;
  }
  return hrefOf(text, host);
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
