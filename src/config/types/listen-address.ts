/** Addresses to serve on: tsgi's URLs and uWSGI's socket forms, both to one canonical form that can be compared. */
import type { OptionType, ReadContext } from "../option.ts";
import { quoteValue } from "../problem.ts";
import type { RawValue } from "../raw-value.ts";
import type { ListenAddress } from "../vassal-config.ts";
import { pathProblem, resolvePath } from "./path.ts";
import { parseInteger, readScalar } from "./scalars.ts";

/** sockaddr_un has 108 bytes, one of them for the final NUL. */
const MAX_UNIX_PATH_BYTES = 107;

const LABEL = "an address such as http://127.0.0.1:8080 or http+unix:///run/blog.sock";
const FIX =
  "write one such as http://127.0.0.1:8080, http://[::1]:8080 or http+unix:///run/blog.sock";

/** `http://host:port`, `http://:port`, `http://[::1]:port`, `http+unix:///path`. */
export const listenUrl: OptionType<ListenAddress> = {
  label: LABEL,
  word: "url",
  schema: { type: "string", pattern: "^http([+]unix)?://" },
  read(value, context) {
    const written = readScalar(value, context, LABEL);
    if (written === undefined) return undefined;
    const source = written.text.trim();
    const colon = source.slice(0, 32).indexOf("://");
    if (colon <= 0) return context.fail(value, notAnAddress(source), urlFix(source));
    const scheme = source.slice(0, colon).toLowerCase();
    const rest = source.slice(colon + 3);
    if (scheme === "http") {
      const place = rest.endsWith("/") && !rest.startsWith("/") ? rest.slice(0, -1) : rest;
      return tcpAddress(place, value, context, source, 80);
    }
    if (scheme === "http+unix") {
      if (/^\.{0,2}\//.test(rest)) return unixAddress(rest, value, context);
      return context.fail(
        value,
        notAnAddress(source),
        "write three slashes: http+unix:///run/blog.sock",
      );
    }
    if (LATER_PROTOCOLS.has(scheme)) return notSpoken(scheme, value, context);
    return context.fail(value, `'${quoteValue(scheme)}' is no known protocol`, FIX);
  },
  show: (address) => address.text,
};

/** uWSGI's forms of an address: `host:port`, `:port`, `[::1]:port`, a unix path. */
export const socketForm: OptionType<ListenAddress> = {
  ...listenUrl,
  label: "host:port, :port or the path of a unix socket",
  read(value, context) {
    const written = readScalar(value, context, "host:port, :port or the path of a unix socket");
    if (written === undefined) return undefined;
    const source = written.text.trim();
    if (source.slice(0, 32).includes("://")) return listenUrl.read(value, context);
    if (source.startsWith("@")) {
      return context.fail(
        value,
        "abstract sockets are not supported",
        "write the path of a unix socket",
      );
    }
    if (source.startsWith("/") || source.startsWith("./") || !source.includes(":")) {
      // A number or an IPv4 address alone is a forgotten part, not the name of a socket.
      if (!/^[\d.]{1,15}$/.test(source)) return unixAddress(source, value, context);
    }
    return tcpAddress(source, value, context, source, undefined);
  },
};

/** uWSGI's other socket options: the key itself names a protocol that is not spoken yet. */
export function laterProtocol(protocol: string): OptionType<ListenAddress> {
  return { ...socketForm, read: (value, context) => notSpoken(protocol, value, context) };
}

/** Whether two addresses cannot both be bound: equal, or one of them all interfaces on the other's port. */
export function addressesClash(first: ListenAddress, second: ListenAddress): boolean {
  if (first.kind === "unix" || second.kind === "unix") {
    return first.kind === second.kind && first.text === second.text;
  }
  if (first.port !== second.port) return false;
  if (first.host === second.host) return true;
  // "::" takes IPv4 as well, as Linux does by default.
  const hosts = [first.host, second.host];
  if (hosts.includes("::")) return true;
  return hosts.includes("0.0.0.0") && !hosts.some((host) => host.includes(":"));
}

/** "host:port" to an address; `port` without a number is `defaultPort`. */
function tcpAddress(
  place: string,
  value: RawValue,
  context: ReadContext,
  source: string,
  defaultPort: number | undefined,
): ListenAddress | undefined {
  const colon = place.lastIndexOf(":");
  const bracket = place.lastIndexOf("]");
  const hasPort = colon > bracket;
  const port = hasPort ? parseInteger(place.slice(colon + 1)) : defaultPort;
  if (port === undefined || port < 1 || port > 65_535) {
    if (/[/?#@]/.test(place)) return context.fail(value, notAnAddress(source), FIX);
    return context.fail(
      value,
      `'${quoteValue(source)}' has no port from 1 to 65535`,
      "write one such as http://127.0.0.1:8080",
    );
  }
  const host = parseHost(hasPort ? place.slice(0, colon) : place);
  if (host === undefined) {
    return context.fail(
      value,
      `'${quoteValue(source)}' has no IP address before the port`,
      "write an IPv4 address, an IPv6 address in brackets, localhost, or nothing for all interfaces",
    );
  }
  const shown = host.includes(":") ? `[${host}]` : host;
  return { kind: "tcp", protocol: "http", host, port, text: `http://${shown}:${port}` };
}

/** The canonical IP address of a host part, or undefined. Names are not looked up. */
function parseHost(written: string): string | undefined {
  if (written === "" || written === "*") return "0.0.0.0";
  if (written === "localhost") return "127.0.0.1";
  const bracketed = /^\[([0-9A-Fa-f:.]{2,45})\]$/.exec(written);
  if (bracketed !== null) return canonicalIpv6(bracketed[1] ?? "");
  if (written.length > 15 || !/^\d{1,3}(\.\d{1,3}){3}$/.test(written)) return undefined;
  const bytes = written.split(".").map(Number);
  // A leading zero is octal to some programs and decimal to others.
  return bytes.every((byte) => byte <= 255) && bytes.join(".") === written ? written : undefined;
}

function canonicalIpv6(written: string): string | undefined {
  const url = `http://[${written}]/`;
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : undefined;
}

function unixAddress(
  written: string,
  value: RawValue,
  context: ReadContext,
): ListenAddress | undefined {
  const problem = pathProblem(written);
  if (problem !== undefined) return context.fail(value, problem, FIX);
  const path = resolvePath(context.folder, written);
  const bytes = new TextEncoder().encode(path).length;
  if (bytes > MAX_UNIX_PATH_BYTES) {
    return context.fail(
      value,
      `the path of the socket has ${bytes} bytes, at most ${MAX_UNIX_PATH_BYTES} are possible`,
      "choose a shorter path",
    );
  }
  return { kind: "unix", protocol: "http", path, text: `http+unix://${path}` };
}

function notSpoken(protocol: string, value: RawValue, context: ReadContext): undefined {
  return context.fail(
    value,
    `the protocol ${protocol} is not spoken yet`,
    "serve http here: http://host:port or http+unix:///path",
  );
}

function notAnAddress(source: string): string {
  return `'${quoteValue(source)}' is not an address to serve on`;
}

/** For the commonest slips: "8080" and "127.0.0.1:8080" without the protocol. */
function urlFix(source: string): string {
  if (source.length > 60 || !/^[\w.:[\]*-]+$/.test(source)) return FIX;
  if (parseInteger(source) !== undefined) return `write http://127.0.0.1:${source}`;
  return source.includes(":") ? `write http://${source}` : FIX;
}

const LATER_PROTOCOLS: ReadonlySet<string> = new Set([
  "https",
  "https+unix",
  "uwsgi",
  "uwsgi+unix",
  "fastcgi",
  "fastcgi+unix",
  "scgi",
  "scgi+unix",
  "memcached",
  "memcached+unix",
  "raw",
  "raw+unix",
]);
