/** Socket addresses as the kernel wants them: bytes of sockaddr_in, sockaddr_in6 and sockaddr_un. Pure. */
import { Buffer } from "node:buffer";
import { isIPv4, isIPv6 } from "node:net";
import { endianness } from "node:os";
import { TsgiError } from "../core/errors.ts";

/** sun_path has 108 bytes including the closing NUL (unix(7)). */
export const UNIX_PATH_MAX = 107;

const FAMILY = { unix: 1, inet: 2, inet6: 10 } as const;

export function encodeInet(host: string, port: number): Uint8Array {
  const address = family(FAMILY.inet, 16);
  address.writeUInt16BE(port, 2);
  address.set(host.split(".").map(Number), 4);
  return address;
}

/** `scopeId` is the interface number of a link-local address, else 0. */
export function encodeInet6(host: string, port: number, scopeId: number): Uint8Array {
  const address = family(FAMILY.inet6, 28);
  address.writeUInt16BE(port, 2);
  address.set(ipv6Bytes(host), 8);
  if (endianness() === "LE") address.writeUInt32LE(scopeId, 24);
  else address.writeUInt32BE(scopeId, 24);
  return address;
}

/** A path of the file system, or an abstract name written with a leading "@". Throws TsgiError TSGI_PATH_TOO_LONG. */
export function encodeUnix(path: string): Uint8Array {
  const bytes = Buffer.from(path, "utf8");
  if (bytes.length > UNIX_PATH_MAX) {
    throw new TsgiError(
      "TSGI_PATH_TOO_LONG",
      `Cannot use the unix socket "${path}": the path has ${bytes.length} bytes, at most ${UNIX_PATH_MAX} are possible`,
    );
  }
  if (bytes.length === 0 || bytes.includes(0)) {
    throw new TsgiError(
      "TSGI_LISTEN_FAILED",
      `Cannot use the unix socket ${JSON.stringify(path)}: a path is not empty and has no NUL`,
    );
  }
  if (path.startsWith("@")) {
    bytes[0] = 0;
    return Buffer.concat([family(FAMILY.unix, 2), bytes]);
  }
  return Buffer.concat([family(FAMILY.unix, 2), bytes, Buffer.alloc(1)]);
}

/** The port of an encoded IPv4 or IPv6 address. */
export function decodePort(address: Uint8Array): number {
  return Buffer.from(address).readUInt16BE(2);
}

function family(number: number, size: number): Buffer {
  const address = Buffer.alloc(size);
  if (endianness() === "LE") address.writeUInt16LE(number, 0);
  else address.writeUInt16BE(number, 0);
  return address;
}

/** "fe80::1" => 16 bytes. `host` has passed isIPv6 and carries no zone. */
function ipv6Bytes(host: string): readonly number[] {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(host);
  const text = dotted === null ? host : `${dotted[1]}${dottedGroups(dotted[2] ?? "")}`;
  const [head = "", tail] = text.split("::");
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0);
  return [...left, ...zeros, ...right].flatMap((group) => [group >> 8, group & 0xff]);
}

function groups(text: string): readonly number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}

function dottedGroups(text: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = text.split(".").map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

/** What a `host` of a listen address means, decided without any look-up. */
export type HostMeaning =
  | { readonly kind: "inet"; readonly host: string }
  | { readonly kind: "inet6"; readonly host: string; readonly zone: string }
  /** Every address of the machine, IPv6 and IPv4. */
  | { readonly kind: "all" };

/** The meaning of a host, or undefined when it is a name that only DNS could answer. */
export function meaningOfHost(text: string): HostMeaning | undefined {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  if (bare === "" || bare === "*") return { kind: "all" };
  if (bare.toLowerCase() === "localhost") return { kind: "inet", host: "127.0.0.1" };
  if (bare === "ip6-localhost") return { kind: "inet6", host: "::1", zone: "" };
  if (isIPv4(bare)) return { kind: "inet", host: bare };
  const [host = "", zone = ""] = bare.split("%");
  return isIPv6(bare) ? { kind: "inet6", host, zone } : undefined;
}
