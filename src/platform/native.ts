/** The only door to native code: the few libc calls that Node does not offer, through koffi, loaded at the first use. */
import { closeSync, constants, openSync } from "node:fs";
import { createRequire } from "node:module";
import { getSystemErrorMap } from "node:util";
import type * as Koffi from "koffi";
import { messageOf, systemCode } from "../core/errors.ts";

/** Linux numbers, the same on every architecture that Node supports (asm-generic). */
const AF = { unix: 1, inet: 2, inet6: 10 } as const;
const SOCK = { stream: 1, datagram: 2, nonBlocking: 0o4000, closeOnExec: 0o2000000 } as const;
const SO = {
  level: 1,
  reuseAddress: 2,
  peerCredentials: 17,
  acceptsConnections: 30,
  v6Level: 41,
  v6Only: 26,
} as const;
const LOCK_EXCLUSIVE_NOW = 2 | 4;
const FCNTL = { setSignal: 10, setLease: 1024 } as const;
const LEASE = { read: 0, none: 2 } as const;
/** Ignored by default, unlike SIGIO, which would end the process when somebody breaks the lease. */
const SIGURG = 23;
/** Do not raise SIGPIPE, do not block. */
const MSG_QUIET = 0x4000 | 0x40;

type LibcCall = (...args: readonly unknown[]) => number;

interface Libc {
  readonly errno: () => number;
  readonly socket: LibcCall;
  readonly bind: LibcCall;
  readonly listen: LibcCall;
  readonly connect: LibcCall;
  readonly setsockopt: LibcCall;
  readonly getsockopt: LibcCall;
  readonly getsockname: LibcCall;
  readonly sendto: LibcCall;
  readonly flock: LibcCall;
  readonly fcntl: LibcCall;
}

let loaded: Libc | undefined;

/** Loads libc now, so that nothing is read from disk later. Throws Error when koffi has no build for this machine. */
export function loadNative(): void {
  libc();
}

function libc(): Libc {
  loaded ??= bindLibc();
  return loaded;
}

function bindLibc(): Libc {
  let library: Koffi.LibraryHandle;
  let errno: () => number;
  try {
    const door = createRequire(import.meta.url)("koffi") as typeof Koffi;
    library = door.load(null);
    errno = () => door.errno();
  } catch (cause) {
    throw new Error(
      `Cannot load the native library koffi: ${messageOf(cause)}; reinstall with 'npm ci' on this machine`,
      { cause },
    );
  }
  const bound = (declaration: string): LibcCall => {
    const call = library.func(declaration);
    return (...args) => Number(call(...args));
  };
  return {
    errno,
    socket: bound("int socket(int domain, int type, int protocol)"),
    bind: bound("int bind(int fd, const void *address, uint32_t length)"),
    listen: bound("int listen(int fd, int backlog)"),
    connect: bound("int connect(int fd, const void *address, uint32_t length)"),
    setsockopt: bound(
      "int setsockopt(int fd, int level, int name, const void *value, uint32_t length)",
    ),
    getsockopt: bound("int getsockopt(int fd, int level, int name, void *value, void *length)"),
    getsockname: bound("int getsockname(int fd, void *address, void *length)"),
    sendto: bound(
      "intptr_t sendto(int fd, const void *data, size_t length, int flags, const void *address, uint32_t addressLength)",
    ),
    flock: bound("int flock(int fd, int operation)"),
    fcntl: bound("int fcntl(int fd, int command, ...)"),
  };
}

/** A libc call that failed; `code` is the name of its errno, as in Node's own errors. */
export class NativeError extends Error {
  readonly code: string;
  readonly syscall: string;

  constructor(syscall: string, errno: number) {
    const [code, text] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, "unknown error"];
    super(`${syscall}: ${text} (${code})`);
    this.name = "NativeError";
    this.code = code;
    this.syscall = syscall;
  }
}

/** The result of a call that answers -1 on failure; throws NativeError then. */
function checked(syscall: string, result: number): number {
  if (result < 0) throw new NativeError(syscall, libc().errno());
  return result;
}

export interface SocketShape {
  readonly family: keyof typeof AF;
  readonly type: "stream" | "datagram";
}

/**
 * A new close-on-exec and non-blocking socket. The second flag belongs to the open file: everybody who inherits the
 * descriptor shares it. Throws NativeError.
 */
export function openSocket(shape: SocketShape): number {
  const flags = SOCK.closeOnExec | SOCK.nonBlocking;
  return checked("socket", libc().socket(AF[shape.family], SOCK[shape.type] | flags, 0));
}

export function allowAddressReuse(fd: number): void {
  setNumber(fd, SO.level, SO.reuseAddress, 1);
}

/** Whether an IPv6 socket refuses IPv4 clients. */
export function setIpv6Only(fd: number, only: boolean): void {
  setNumber(fd, SO.v6Level, SO.v6Only, only ? 1 : 0);
}

function setNumber(fd: number, level: number, name: number, value: number): void {
  checked("setsockopt", libc().setsockopt(fd, level, name, Int32Array.of(value), 4));
}

/** Binds to an encoded sockaddr (`socket-address.ts`). Throws NativeError. */
export function bindSocket(fd: number, address: Uint8Array): void {
  checked("bind", libc().bind(fd, address, address.length));
}

export function listenOn(fd: number, backlog: number): void {
  checked("listen", libc().listen(fd, backlog));
}

/** Connects a non-blocking socket; the errno's name when that failed, undefined when somebody answered. */
export function tryConnect(fd: number, address: Uint8Array): string | undefined {
  const result = libc().connect(fd, address, address.length);
  return result < 0 ? new NativeError("connect", libc().errno()).code : undefined;
}

/** The encoded sockaddr this socket is bound to. */
export function socketName(fd: number): Uint8Array {
  const address = new Uint8Array(128);
  const length = Uint32Array.of(address.length);
  checked("getsockname", libc().getsockname(fd, address, length));
  return address.subarray(0, length[0]);
}

/** Whether a descriptor is a socket in the listening state. */
export function isListening(fd: number): boolean {
  const value = Int32Array.of(0);
  const result = libc().getsockopt(fd, SO.level, SO.acceptsConnections, value, Uint32Array.of(4));
  return result === 0 && value[0] === 1;
}

export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** Who connected to this unix socket, as the kernel recorded it; undefined when it does not know. */
export function peerCredentials(fd: number): PeerCredentials | undefined {
  const value = new Uint32Array(3);
  const length = Uint32Array.of(12);
  const result = libc().getsockopt(fd, SO.level, SO.peerCredentials, value, length);
  const [pid, uid, gid] = value;
  if (result < 0 || pid === undefined || uid === undefined || gid === undefined) return undefined;
  // The kernel fills in (uid_t)-1 for sockets without a known peer.
  return uid === 0xff_ff_ff_ff ? undefined : { pid, uid, gid };
}

/** Takes the kernel's lock of an open file without waiting; false when another open file holds it. */
export function tryLock(fd: number): boolean {
  if (libc().flock(fd, LOCK_EXCLUSIVE_NOW) === 0) return true;
  const error = new NativeError("flock", libc().errno());
  if (error.code === "EAGAIN" || error.code === "EWOULDBLOCK") return false;
  throw error;
}

/**
 * Whether any process has the regular file open for writing: a copy that is still under way. Asked by a
 * read lease (fcntl(2)), which the kernel refuses while a writer exists; it is given back at once.
 *
 * @returns undefined when nobody can say: not the owner of the file, or a file system without leases
 */
export function isOpenForWriting(path: string): boolean | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) !== undefined) return undefined;
    throw error;
  }
  try {
    const { fcntl, errno } = libc();
    fcntl(fd, FCNTL.setSignal, "int", SIGURG);
    if (fcntl(fd, FCNTL.setLease, "int", LEASE.read) === 0) {
      fcntl(fd, FCNTL.setLease, "int", LEASE.none);
      return false;
    }
    return new NativeError("fcntl", errno()).code === "EAGAIN" ? true : undefined;
  } finally {
    closeSync(fd);
  }
}

/** Sends one datagram to a unix address without blocking; the errno's name when that failed. */
export function sendDatagram(address: Uint8Array, data: Uint8Array): string | undefined {
  const fd = openSocket({ family: "unix", type: "datagram" });
  try {
    const { sendto, errno } = libc();
    const sent = sendto(fd, data, data.length, MSG_QUIET, address, address.length);
    return sent < 0 ? new NativeError("sendto", errno()).code : undefined;
  } finally {
    closeSync(fd);
  }
}
