/** One request and its response, as an application container sees it; which protocol carried it stays hidden. */
import type { Socket } from "node:net";
import type { RequestHead, ResponseHead } from "../protocol/request.ts";

export interface Peer {
  /** "" for unix sockets. */
  readonly address: string;
  readonly port: number;
  readonly localAddress: string;
  readonly localPort: number;
}

/** Takes a request body as it arrives. Exactly one of `end` and `abort` is called, once. */
export interface BodySink {
  /** The chunk belongs to the sink. Return false to pause until `Exchange.resumeBody()`. */
  data(chunk: Buffer): boolean;
  /** The whole body has arrived. `trailers` is flat like headers. */
  end(trailers: readonly string[]): void;
  /** The rest will never arrive: client gone, malformed, too large, or too slow. */
  abort(reason: string): void;
}

export interface Exchange {
  readonly head: RequestHead;
  readonly peer: Peer;
  readonly secure: boolean;
  /** The socket, for `node` listeners that need one; never write to it from elsewhere. */
  readonly socket: Socket;

  /**
   * Starts the flow of the request body; sends "100 Continue" first when the client waits for it.
   * A body nobody asked for is dropped after the response, or the connection closed when that would take too long.
   */
  readBody(sink: BodySink): void;
  resumeBody(): void;

  /** An informational response (103 …); ignored for HTTP/1.0. */
  informational(status: number, headers: readonly string[]): void;

  /** Begins the response. Throws TypeError when it was begun before, RangeError for CR, LF or NUL in it. */
  start(head: ResponseHead): void;
  /**
   * As `start`, with header lines ready for the wire: "Name: value\r\n" each, already checked by the container
   * to have no stray CR, LF or NUL and no hop-by-hop header; latin1. `contentLength` is -1 when unknown.
   * This is the fast path of foreign-language workers.
   */
  startRaw(status: number, reason: string, lines: string | Buffer, contentLength: number): void;
  /** False when the client is slow: wait for `onDrain`. Bytes beyond Content-Length are an error of the application. */
  write(chunk: Buffer | string): boolean;
  /** Ends the response. One that is shorter than its Content-Length cuts the connection. */
  end(chunk?: Buffer | string): void;
  /** Called once for each time `write` returned false, when more may be written. */
  onDrain: (() => void) | undefined;

  /**
   * The application cannot answer: an error page of `status` if nothing was sent, else the connection is cut
   * (never a false end of the body). `cause` goes to the log, never to the client.
   */
  fail(status: number, cause: string): void;

  /** True once the response is complete or the client is gone. */
  readonly done: boolean;
  readonly started: boolean;
  /** Called once when the client is gone before the response was complete. */
  onAbort: (() => void) | undefined;
  /** Called once when the exchange is over, whatever way. */
  onClose: (() => void) | undefined;
}

/** What a front does with every request. Must not throw; an exception answers 500 and is logged. */
export type Handler = (exchange: Exchange) => void;
