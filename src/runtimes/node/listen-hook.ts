/**
 * Programs that call `listen()` themselves, unchanged: the first HTTP server that listens serves on the vassal's
 * sockets instead of its own port. Further HTTP servers on that same port (Fastify binds every address of
 * "localhost") get nothing to do; everything else listens as it asks.
 */
import { Server as HttpServer } from "node:http";
import { Server as NetServer } from "node:net";
import type { ListenAddress } from "../../config/vassal-config.ts";

/** What `server.address()` shows: where the vassal really listens. */
export interface BoundServer {
  readonly server: HttpServer;
  /** The front has no connection left: callbacks of `close` may run. */
  drained(): void;
}

export interface ListenHook {
  /** Called once, when the first HTTP server has called listen(). */
  readonly onBound: (bound: BoundServer) => void;
  /** The application closed its server itself. */
  readonly onClosed: () => void;
}

/** The parts of a net.Server that its own methods work on; the same in Node 24 and 26. */
interface ServerInternals {
  _handle: FakeHandle | null;
  _connections: number;
  _pipeName?: string;
  _emitCloseIfDrained(): void;
}

/** Takes the place of libuv's handle in a server that listens in name only. */
interface FakeHandle {
  /** Absent for unix sockets: Node shows `_pipeName` then. */
  readonly getsockname?: (out: Record<string, unknown>) => number;
  readonly close: () => void;
  /** Whether the process lives on is decided by the front's real handle. */
  readonly ref: () => void;
  readonly unref: () => void;
  readonly getAsyncId: () => number;
}

function fakeHandle(address: ListenAddress | undefined, close: () => void): FakeHandle {
  const inert = { close, ref: () => undefined, unref: () => undefined, getAsyncId: () => 0 };
  if (address?.kind !== "tcp") return inert;
  const { port } = address;
  const host = address.host === "*" ? "::" : address.host;
  const facts = { address: host, port, family: host.includes(":") ? "IPv6" : "IPv4" };
  return {
    ...inert,
    getsockname: (out) => {
      Object.assign(out, facts);
      return 0;
    },
  };
}

/** Replaces `net.Server.prototype.listen`. `address` is the vassal's first one. */
export function hookListen(address: ListenAddress | undefined, hook: ListenHook): void {
  // oxlint-disable-next-line typescript/unbound-method -- called with the server it was called on
  const original = NetServer.prototype.listen as (...values: unknown[]) => NetServer;
  let first: { readonly server: NetServer; readonly port: unknown } | undefined;

  NetServer.prototype.listen = function listen(this: NetServer, ...values: unknown[]): NetServer {
    const internals = this as unknown as ServerInternals;
    if (!(this instanceof HttpServer) || internals._handle) return original.apply(this, values);
    const port = askedPort(values);
    const isFirst = first === undefined || first.server === this;
    if (!isFirst && first?.port !== port) return original.apply(this, values);
    const callback = values.findLast((value) => typeof value === "function");
    if (callback !== undefined) this.once("listening", callback as () => void);
    bind(this, fakeHandle(address, isFirst ? hook.onClosed : () => undefined));
    if (address?.kind === "unix") internals._pipeName = address.path;
    // Held until the front has drained, so that `server.close(() => process.exit())` comes when nobody is cut off.
    internals._connections = isFirst ? 1 : 0;
    if (first === undefined) {
      first = { server: this, port };
      hook.onBound({ server: this, drained: () => release(internals) });
    }
    return this;
  } as typeof NetServer.prototype.listen;
}

function bind(server: NetServer, handle: FakeHandle): void {
  const internals = server as unknown as ServerInternals;
  internals._handle = handle;
  process.nextTick(() => {
    if (internals._handle) server.emit("listening");
  });
}

function release(internals: ServerInternals): void {
  internals._connections = 0;
  if (internals._handle === null) internals._emitCloseIfDrained();
}

/** The port (or path) of listen(port, …), listen({ port }), listen(path); undefined when none was named. */
export function askedPort(values: readonly unknown[]): unknown {
  const [first] = values;
  if (typeof first === "number" || typeof first === "string") return String(first);
  if (typeof first !== "object" || first === null) return undefined;
  if ("port" in first && first.port !== undefined) return `${first.port as number}`;
  return "path" in first ? first.path : undefined;
}
