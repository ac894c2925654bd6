/** Creates the listening sockets of the fleet: plain descriptors, close-on-exec, that belong to the emperor. */
import { closeSync, lstatSync, unlinkSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { ListenAddress } from "../config/vassal-config.ts";
import { TsgiError, messageOf, systemCode } from "../core/errors.ts";
import {
  allowAddressReuse,
  bindSocket,
  listenOn,
  openSocket,
  setIpv6Only,
  socketName,
  tryConnect,
} from "./native.ts";
import {
  decodePort,
  encodeInet,
  encodeInet6,
  encodeUnix,
  meaningOfHost,
} from "./socket-address.ts";

/** The kernel caps it at net.core.somaxconn, 4096 since Linux 5.4. */
const BACKLOG = 4096;
/** rw for user and group, nothing for others: 0660. */
const UNIX_UMASK = 0o117;

/** A descriptor and the way to give it back. */
export interface ListeningSocket {
  readonly fd: number;
  close(): void;
}

/** The machine's sockets, in the shape of the emperor's `Sockets` port. */
export const systemSockets = { listen: listenAt };

/** Throws TsgiError TSGI_LISTEN_FAILED or TSGI_PATH_TOO_LONG, with what to do about it. */
export function listenAt(address: ListenAddress): ListeningSocket {
  return address.kind === "unix"
    ? listenUnix(address.path, address.text)
    : listenTcp(address.host, address.port, address.text);
}

/** The port a TCP socket is bound to. */
export function localPort(fd: number): number {
  return decodePort(socketName(fd));
}

function listenTcp(host: string, port: number, text: string): ListeningSocket {
  const meaning = meaningOfHost(host);
  switch (meaning?.kind) {
    case undefined:
      throw failure(text, `"${host}" is a name; write an IP address, localhost, or * for all`);
    case "inet":
      return bindTcp("inet", encodeInet(meaning.host, port), text);
    case "inet6":
      return bindTcp("inet6", encodeInet6(meaning.host, port, scopeOf(meaning.zone, text)), text);
    case "all":
      return listenEverywhere(port, text);
  }
}

/** One dual-stack socket; IPv4 alone on a machine whose kernel has no IPv6. */
function listenEverywhere(port: number, text: string): ListeningSocket {
  let fd: number;
  try {
    fd = openSocket({ family: "inet6", type: "stream" });
  } catch (error) {
    if (systemCode(error) !== "EAFNOSUPPORT") throw asFailure(error, text);
    return bindTcp("inet", encodeInet("0.0.0.0", port), text);
  }
  return bindOpened(fd, encodeInet6("::", port, 0), text, () => {
    setIpv6Only(fd, false);
  });
}

function bindTcp(family: "inet" | "inet6", address: Uint8Array, text: string): ListeningSocket {
  let fd: number;
  try {
    fd = openSocket({ family, type: "stream" });
  } catch (error) {
    throw asFailure(error, text);
  }
  return bindOpened(fd, address, text, () => {
    if (family === "inet6") setIpv6Only(fd, true);
  });
}

function bindOpened(
  fd: number,
  address: Uint8Array,
  text: string,
  prepare: () => void,
): ListeningSocket {
  return guarded(fd, text, () => {
    allowAddressReuse(fd);
    prepare();
    bindSocket(fd, address);
    listenOn(fd, BACKLOG);
    return { fd, close: closeOnce(fd) };
  });
}

function scopeOf(zone: string, text: string): number {
  if (zone === "") return 0;
  if (/^\d{1,9}$/.test(zone)) return Number(zone);
  const scope = networkInterfaces()[zone]?.find((entry) => entry.family === "IPv6")?.scopeid;
  if (scope === undefined) throw failure(text, `there is no network interface "${zone}"`);
  return scope;
}

function listenUnix(path: string, text: string): ListeningSocket {
  const address = encodeUnix(path);
  if (!path.startsWith("@")) removeStale(path, address, text);
  const fd = openSocket({ family: "unix", type: "stream" });
  return guarded(fd, text, () => {
    // The mode is right from the first moment: a chmod afterwards would leave a gap.
    const before = process.umask(UNIX_UMASK);
    try {
      bindSocket(fd, address);
    } finally {
      process.umask(before);
    }
    const identity = path.startsWith("@") ? undefined : identityOf(path);
    listenOn(fd, BACKLOG);
    const closeFd = closeOnce(fd);
    return {
      fd,
      close: () => {
        if (identity !== undefined && identityOf(path) === identity) unlinkIfThere(path);
        closeFd();
      },
    };
  });
}

/** Makes way for a new socket: only a socket that nobody answers is removed. */
function removeStale(path: string, address: Uint8Array, text: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isSocket()) {
    throw failure(
      text,
      `"${path}" exists and is not a socket; move it away or choose another path`,
    );
  }
  const probe = openSocket({ family: "unix", type: "stream" });
  let answer: string | undefined;
  try {
    answer = tryConnect(probe, address);
  } finally {
    closeSync(probe);
  }
  if (answer === "ECONNREFUSED") unlinkIfThere(path);
  else if (answer !== "ENOENT") {
    throw failure(text, `another program answers on "${path}"; stop it or choose another path`);
  }
}

/** Device, inode and birth of a path: an inode number alone may be given to the next file. */
function identityOf(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}:${stats.birthtimeNs}`;
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}

function closeOnce(fd: number): () => void {
  let open = true;
  return () => {
    if (open) closeSync(fd);
    open = false;
  };
}

/** Runs `work` on a new descriptor; closes it and explains when that fails. */
function guarded<T>(fd: number, text: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    closeSync(fd);
    throw asFailure(error, text);
  }
}

function asFailure(error: unknown, text: string): TsgiError {
  if (error instanceof TsgiError) return error;
  const why = CAUSES[systemCode(error) ?? ""] ?? messageOf(error);
  return failure(text, why, error);
}

function failure(text: string, why: string, cause?: unknown): TsgiError {
  return new TsgiError("TSGI_LISTEN_FAILED", `Cannot listen on ${text}: ${why}`, { cause });
}

const CAUSES: Readonly<Record<string, string>> = {
  EADDRINUSE:
    "another program listens there ('ss -ltnp' shows which); stop it or choose another port",
  EACCES:
    "no right to do so; choose a port from 1024 on or a folder that this user may write, or run as root",
  EPERM: "no right to do so; ask for an address that this user may use",
  EADDRNOTAVAIL: "the address does not belong to this machine; 'ip address' lists the ones that do",
  EAFNOSUPPORT: "the kernel does not support this kind of address; write an IPv4 address",
  ENOENT: "the folder of the socket does not exist; create it",
  ENOTDIR: "a part of the path is not a folder; correct the path",
  EROFS: "the file system is read-only; choose another folder",
  EMFILE: "too many open files; raise LimitNOFILE or 'ulimit -n' of the emperor",
};
