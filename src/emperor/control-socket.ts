/** HTTP with JSON over a unix socket: takes connections, knows who asks, keeps everything bounded. */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Log } from "../core/log.ts";
import { peerOf } from "../platform/peer.ts";
import { isTrusted } from "./control-access.ts";
import type { Commander, EmperorControl } from "./control.ts";
import { replyError, replyProblem } from "./control-reply.ts";
import type { ControlReply } from "./control-reply.ts";
import { answerCall } from "./control-routes.ts";
import type { ControlCall } from "./control-routes.ts";
import { streamEvents } from "./event-stream.ts";
import { listenAtPath } from "./unix-server.ts";

export interface ControlSocketOptions {
  readonly path: string;
  readonly control: EmperorControl;
  /** Who may do everything, beside root. */
  readonly emperorUid: number;
  readonly log: Log;
  /** Stops the fleet and then the process; resolves when the fleet is stopped. */
  readonly shutdown: (reason: string) => Promise<void>;
}

export interface OpenSocket {
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 65_536;
/** Connections of everybody; foreign users get only a part of it, so that the operator always gets in. */
const MAX_CONNECTIONS = 256;
const MAX_FOREIGN_CONNECTIONS = 64;
/** How long answers that are under way may take once the socket closes. */
const CLOSE_GRACE_MS = 500;

/** Opens the socket. Throws TsgiError TSGI_LISTEN_FAILED or TSGI_PATH_TOO_LONG. */
export async function openControlSocket(options: ControlSocketOptions): Promise<OpenSocket> {
  const server = createServer({
    maxHeaderSize: 65_536,
    headersTimeout: 5000,
    requestTimeout: 15_000,
    keepAliveTimeout: 5000,
    connectionsCheckingInterval: 1000,
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.maxRequestsPerSocket = 1000;
  const closing = new AbortController();
  const peers = admitPeers(server, options.emperorUid);
  server.on("request", (request, response) => {
    const by = peers.get(request.socket);
    if (by === undefined) return;
    void serve(options, by, closing.signal, request, response).catch((error: unknown) => {
      options.log.debug({ error: String(error) }, "A control connection ended early");
      response.destroy();
    });
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    refuseGarbage(error, socket);
  });
  await listenAtPath(server, options.path);
  return { close: () => closeServer(server, closing) };
}

/** Finds out who connects while the connection is new; keeps room for the operator. */
function admitPeers(server: Server, emperorUid: number): WeakMap<Socket, Commander> {
  const peers = new WeakMap<Socket, Commander>();
  let foreign = 0;
  server.on("connection", (socket: Socket) => {
    const by = peerOf(socket);
    if (by === undefined) {
      socket.destroy();
      return;
    }
    peers.set(socket, by);
    if (isTrusted(by, emperorUid)) return;
    foreign += 1;
    socket.once("close", () => {
      foreign -= 1;
    });
    if (foreign > MAX_FOREIGN_CONNECTIONS) {
      peers.delete(socket);
      socket.end(
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
      );
    }
  });
  return peers;
}

async function serve(
  options: ControlSocketOptions,
  by: Commander,
  closing: AbortSignal,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const hangUp = new AbortController();
  response.on("close", () => {
    hangUp.abort();
  });
  // A browser that was talked into a request says so; nothing legitimate of ours has an Origin.
  if (request.headers.origin !== undefined) {
    send(response, replyProblem(403, "TSGI_FORBIDDEN", "Cannot answer a request with an Origin"));
    return;
  }
  if (!(await bodyFits(request))) {
    response.setHeader("Connection", "close");
    const message = `Cannot take the body: the limit is ${MAX_BODY_BYTES} bytes`;
    send(response, replyProblem(413, "TSGI_USAGE", message));
    return;
  }
  const [path = "/", query = ""] = (request.url ?? "/").split("?", 2);
  const call: ControlCall = {
    control: options.control,
    query: new URLSearchParams(query),
    by,
    trusted: isTrusted(by, options.emperorUid),
    signal: AbortSignal.any([hangUp.signal, closing]),
    shutdown: options.shutdown,
  };
  const follows = path === "/events" && call.query.get("follow") === "1";
  try {
    if (follows && request.method === "GET") streamEvents(call, response);
    else send(response, await answerCall(request.method ?? "", path, call));
  } catch (error) {
    send(response, replyError(error));
  }
}

/** Reads a body away (no call needs one); false when it is too big. */
async function bodyFits(request: IncomingMessage): Promise<boolean> {
  if (Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES) return false;
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += (chunk as Buffer).length;
    if (length > MAX_BODY_BYTES) return false;
  }
  return true;
}

function send(response: ServerResponse, reply: ControlReply): void {
  if (response.headersSent || response.destroyed) return;
  const isText = "text" in reply;
  const body = isText ? reply.text : `${JSON.stringify(reply.body)}\n`;
  response.writeHead(reply.status, {
    "Content-Type": isText ? reply.contentType : "application/json",
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    ...(!isText && reply.allow !== undefined && { Allow: reply.allow }),
  });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

/** What Node's parser refused, with the status that fits. */
function refuseGarbage(error: NodeJS.ErrnoException, socket: NodeJS.WritableStream): void {
  const lines: Readonly<Record<string, string>> = {
    HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
    ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
  };
  if (!socket.writable || error.code === "ECONNRESET") {
    if ("destroy" in socket && typeof socket.destroy === "function") socket.destroy();
    return;
  }
  const line = lines[error.code ?? ""] ?? "400 Bad Request";
  socket.end(`HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** No new connections; what is being answered gets a moment, streams and long polls are ended. */
async function closeServer(server: Server, closing: AbortController): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  closing.abort();
  server.closeIdleConnections();
  const hurry = setTimeout(() => {
    server.closeAllConnections();
  }, CLOSE_GRACE_MS);
  await closed;
  clearTimeout(hurry);
}
