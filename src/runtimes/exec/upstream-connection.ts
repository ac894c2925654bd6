/** One connection to the program: a socket, the decoder of its answers, and whoever uses it at the moment. */
import { connect, type Socket } from "node:net";
import { messageOf } from "../../core/errors.ts";
import { ResponseDecoder, type ResponseEvent } from "../../protocol/http1/response-decoder.ts";

/** The exchange that a connection works for. `lost` and the event "end" each end the relation. */
export interface ConnectionUser {
  /** Bytes can reach the program from now on; told at once for a connection that is open already. */
  connected(): void;
  answered(event: ResponseEvent): void;
  /** After `write` returned false. */
  writable(): void;
  /** The connection is gone, or what came over it is not HTTP. */
  lost(reason: string): void;
}

/** A full queue of the program, or one that does not accept. */
const CONNECT_TIMEOUT_MS = 10_000;

export class UpstreamConnection {
  /** Requests that it has answered. */
  served = 0;
  idleSinceMs = 0;
  readonly #socket: Socket;
  readonly #decoder = new ResponseDecoder();
  readonly #gone: (connection: UpstreamConnection) => void;
  #user: ConnectionUser | undefined;
  #open = false;
  #closed = false;

  constructor(host: string, port: number, gone: (connection: UpstreamConnection) => void) {
    this.#gone = gone;
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.setTimeout(CONNECT_TIMEOUT_MS);
    this.#socket.on("timeout", () => this.#lose("the program does not accept connections"));
    this.#socket.on("connect", () => this.#connected());
    this.#socket.on("data", (chunk: Buffer) => this.#received(chunk));
    this.#socket.on("end", () => this.#ended());
    this.#socket.on("drain", () => this.#user?.writable());
    this.#socket.on("error", (error) => this.#lose(messageOf(error)));
    this.#socket.on("close", () => this.#lose("the connection was closed"));
  }

  /** True while it can take a further request. */
  get usable(): boolean {
    return !this.#closed && this.#user === undefined && this.#decoder.reusable;
  }

  /** Begins a request; the caller writes its head next. */
  attach(user: ConnectionUser, method: string): void {
    this.#user = user;
    this.#decoder.expect(method);
    if (this.#open) user.connected();
  }

  /** True once a byte of the response to the present request has arrived. */
  get begun(): boolean {
    return this.#decoder.begun;
  }

  /** False when the program is slow: wait for `writable`. */
  write(bytes: Buffer | string): boolean {
    return typeof bytes === "string"
      ? this.#socket.write(bytes, "latin1")
      : this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends the relation; the connection stays open when it is fit for another request. */
  detach(): void {
    this.#user = undefined;
    this.#socket.resume();
    this.served += 1;
  }

  /** Closes it at once; its user is not told. */
  destroy(): void {
    this.#user = undefined;
    this.#lose("closed");
  }

  #connected(): void {
    // To itself, by simultaneous open, because the program is gone.
    if (this.#socket.localPort === this.#socket.remotePort) return this.#lose("nothing listens");
    this.#open = true;
    this.#socket.setTimeout(0);
    this.#user?.connected();
    return undefined;
  }

  #received(chunk: Buffer): void {
    // Bytes that nobody asked for: whatever they are, they must not become the answer to the next request.
    if (this.#user === undefined) return this.#lose("it answered without a request");
    try {
      this.#decoder.push(chunk);
      this.#tell();
    } catch (error) {
      this.#lose(messageOf(error));
    }
    return undefined;
  }

  #ended(): void {
    if (this.#user === undefined) return this.#lose("closed while idle");
    try {
      this.#decoder.end();
      this.#tell();
    } catch (error) {
      this.#lose(messageOf(error));
    }
    return undefined;
  }

  #tell(): void {
    while (this.#user !== undefined) {
      const event = this.#decoder.next();
      if (event === undefined) return;
      this.#user.answered(event);
    }
  }

  #lose(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    const user = this.#user;
    this.#user = undefined;
    this.#socket.destroy();
    this.#gone(this);
    user?.lost(reason);
  }
}
