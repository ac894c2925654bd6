/** `http.ServerResponse` over an Exchange: Node's API and events, our framing, counters, drain and log. */
import { OutgoingMessage, ServerResponse } from "node:http";
import type { Exchange } from "../../server/exchange.ts";
import { HeaderLines } from "./header-lines.ts";
import { IdleTimer } from "./idle-timer.ts";
import { NodeRequest } from "./node-request.ts";

type Callback = (error?: Error | null) => void;
type Chunk = string | Uint8Array;

/** What Node's class has beyond its public types; the same in Node 24 and 26. */
interface OutgoingInternals {
  _header: string | null;
  _headerSent: boolean;
  _hasBody: boolean;
  _closed: boolean;
  _trailer: string;
  destroyed: boolean;
  finished: boolean;
  _implicitHeader(): void;
  [key: symbol]: unknown;
}

/** Where `setHeader` keeps its headers: lower-case name -> [name, value]. */
const SET_HEADERS = Object.getOwnPropertySymbols(new OutgoingMessage()).find(
  (symbol) => symbol.description === "kOutHeaders",
);

interface Facts {
  readonly complete: boolean;
  readonly needDrain: boolean;
  readonly error: Error | null;
}

const NO_LINES = new HeaderLines();

export class NodeResponse extends ServerResponse<NodeRequest> {
  readonly #exchange: Exchange;
  #lines: HeaderLines = NO_LINES;
  #needDrain = false;
  #complete = false;
  #error: Error | null = null;
  #waiting: Callback[] | undefined;
  #idle: IdleTimer | undefined;
  readonly #onOver: (response: NodeResponse) => void;

  constructor(request: NodeRequest, onOver: (response: NodeResponse) => void) {
    super(request);
    this.#onOver = onOver;
    const { exchange } = request;
    this.#exchange = exchange;
    this.shouldKeepAlive = exchange.head.keepAlive;
    this.#self.socket = exchange.socket;
    request.onTimeoutWanted = (timeoutMs) => this.#limitIdleTime(timeoutMs);
    exchange.onAbort = () => NodeRequest.cut(request, "the client is gone");
    exchange.onClose = () => process.nextTick(over, this);
  }

  static owns(value: unknown): boolean {
    return typeof value === "object" && value !== null && #exchange in value;
  }

  static settle(response: NodeResponse): void {
    response.#settle();
  }

  /** Behind the getters at the end of this file. */
  static facts(response: NodeResponse): Facts {
    return {
      complete: response.#complete,
      needDrain: response.#needDrain,
      error: response.#error,
    };
  }

  get #self(): OutgoingInternals & { socket: unknown } {
    return this as unknown as OutgoingInternals & { socket: unknown };
  }

  /** Node calls it at the end of `writeHead`; `headers` as it got them, or what `setHeader` kept. */
  _storeHeader(firstLine: string, headers: unknown): void {
    const lines = new HeaderLines();
    if (Array.isArray(headers)) addList(lines, headers);
    else if (SET_HEADERS !== undefined && headers === this.#self[SET_HEADERS]) {
      addKept(lines, headers as KeptHeaders | null);
    } else if (typeof headers === "object" && headers !== null) {
      for (const [name, value] of Object.entries(headers)) addHeader(lines, name, value);
    }
    this.#lines = lines;
    this.#self._header = firstLine + lines.text;
  }

  override write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
    const done = pickCallback(encoding, callback);
    assertChunk(chunk);
    if (this.#refuses(done)) return false;
    const self = this.#self;
    if (self._header === null) self._implicitHeader();
    this.#begin(-1);
    if (!self._hasBody || chunk.length === 0) {
      if (done !== undefined) process.nextTick(done);
      return true;
    }
    this.#idle?.touch();
    const more = this.#exchange.write(toBytes(chunk, encoding));
    if (!more) this.#waitForDrain();
    if (done !== undefined && more) process.nextTick(done);
    else if (done !== undefined) (this.#waiting ??= []).push(done);
    return more;
  }

  override end(chunk?: unknown, encoding?: unknown, callback?: unknown): this {
    const done =
      typeof chunk === "function" ? (chunk as Callback) : pickCallback(encoding, callback);
    const data = typeof chunk === "function" || chunk === null ? undefined : chunk;
    if (this.finished || this.destroyed) return this.#endedAgain(data, done);
    if (data !== undefined) assertChunk(data);
    if (done !== undefined) this.once("finish", done);
    const self = this.#self;
    if (self._header === null) self._implicitHeader();
    const bytes = data === undefined || !self._hasBody ? undefined : toBytes(data, encoding);
    this.#begin(finalLength(self._hasBody, data, encoding));
    this.finished = true;
    this.emit("prefinish");
    if (bytes === undefined || bytes.length === 0) this.#exchange.end();
    else this.#exchange.end(bytes);
    return this;
  }

  override flushHeaders(): void {
    if (this.finished || this.destroyed || this.#exchange.done) return;
    if (this.#self._header === null) this.#self._implicitHeader();
    this.#begin(-1);
  }

  /** Node writes informational responses through this: "HTTP/1.1 103 Early Hints\r\nLink: …\r\n\r\n". */
  _writeRaw(data: string, _encoding?: unknown, callback?: unknown): boolean {
    const [first = "", ...lines] = data.split("\r\n");
    const status = Number(first.slice(9, 12));
    if (status === 100) NodeRequest.flow(this.req);
    else if (!this.#exchange.done) this.#exchange.informational(status, flatten(lines));
    const done = pickCallback(_encoding, callback);
    if (done !== undefined) process.nextTick(done);
    return true;
  }

  override destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.#error = error ?? null;
    if (this.#exchange.done) process.nextTick(over, this);
    // As in Node: the connection goes with the response. The front reports it back through `onClose`.
    else this.#exchange.socket.destroy();
    return this;
  }

  /** The front batches what one event-loop turn wrote: nothing is left to hold back. */
  override cork(): void {
    this.#idle?.touch();
  }

  override uncork(): void {
    this.#idle?.touch();
  }

  override setTimeout(timeoutMs: number, callback?: () => void): this {
    if (callback !== undefined) this.on("timeout", callback);
    this.#limitIdleTime(timeoutMs);
    return this;
  }

  /** The exchange is over: 'finish' when everything was sent, then 'close', as Node orders them. */
  #settle(): void {
    const self = this.#self;
    this.#needDrain = false;
    if (self._closed) return;
    this.#idle?.stop();
    this.#complete = this.finished && !this.destroyed && !this.req.aborted;
    self.destroyed = true;
    self._closed = true;
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    const error = this.#complete ? null : (this.#error ?? destroyedError());
    for (const callback of waiting) callback(error);
    if (this.#complete) this.emit("finish");
    this.emit("close");
    NodeRequest.release(this.req);
    this.#onOver(this);
  }

  #begin(contentLength: number): void {
    const self = this.#self;
    if (self._headerSent) return;
    const lines = this.#lines;
    const length = lines.contentLength >= 0 ? lines.contentLength : contentLength;
    if (lines.close) this.#beginClosing(length);
    else this.#exchange.startRaw(this.statusCode, this.statusMessage, lines.text, length);
    // Not before: after an exception the application may still answer with something else.
    self._headerSent = true;
  }

  /** The front is told of `Connection: close` by a header list; it is too rare for the fast path. */
  #beginClosing(length: number): void {
    const headers = [...flatten(this.#lines.text.split("\r\n")), "Connection", "close"];
    const known = length >= 0 ? { contentLength: length } : {};
    this.#exchange.start({
      status: this.statusCode,
      reason: this.statusMessage,
      headers,
      ...known,
    });
  }

  #waitForDrain(): void {
    this.#needDrain = true;
    this.#exchange.onDrain ??= () => this.#drained();
  }

  #drained(): void {
    this.#needDrain = false;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) for (const callback of waiting) callback();
    if (!this.destroyed && !this.finished) this.emit("drain");
  }

  /** True when nothing can be written any more; the writer is told why, as Node does. */
  #refuses(callback: Callback | undefined): boolean {
    if (!this.finished && !this.destroyed && !this.#exchange.done) return false;
    const error = this.finished ? afterEndError() : destroyedError();
    const tell = this.finished && !this.destroyed;
    process.nextTick(() => {
      callback?.(error);
      if (tell) this.emit("error", error);
    });
    return true;
  }

  #endedAgain(data: unknown, callback: Callback | undefined): this {
    if (data !== undefined) this.#refuses(callback);
    else if (callback !== undefined && !this.#complete) this.once("finish", callback);
    else if (callback !== undefined) process.nextTick(callback, afterEndError());
    return this;
  }

  #limitIdleTime(timeoutMs: number): void {
    this.#idle ??= new IdleTimer(() => {
      const { socket } = this.#exchange;
      const heard = this.req.emit("timeout", socket);
      if (!this.emit("timeout", socket) && !heard) socket.destroy();
    });
    this.#idle.start(timeoutMs);
  }
}

function over(response: NodeResponse): void {
  NodeResponse.settle(response);
}

Object.defineProperties(NodeResponse.prototype, {
  writableFinished: { configurable: true, get: ownGetter((facts) => facts.complete) },
  writableNeedDrain: {
    configurable: true,
    get: ownGetter((facts) => facts.needDrain),
  },
  writableLength: { configurable: true, get: ownGetter((facts) => (facts.needDrain ? 1 : 0)) },
  errored: { configurable: true, get: ownGetter((facts) => facts.error) },
});

function ownGetter(read: (facts: Facts) => unknown): (this: NodeResponse) => unknown {
  return function get(this: NodeResponse): unknown {
    return read(NodeResponse.facts(this));
  };
}

type KeptHeaders = Readonly<Record<string, readonly [name: string, value: unknown]>>;

/** What `setHeader` kept: names are checked there, and their lower-case forms are the keys. */
function addKept(lines: HeaderLines, headers: KeptHeaders | null): void {
  for (const key in headers) {
    const entry = headers[key];
    if (entry === undefined) continue;
    const [name, value] = entry;
    if (!Array.isArray(value)) lines.addChecked(name, key, headerText(name, value));
    else for (const each of value) lines.addChecked(name, key, headerText(name, each));
  }
}

function addHeader(lines: HeaderLines, name: string, value: unknown): void {
  if (!Array.isArray(value)) lines.add(name, headerText(name, value));
  else for (const each of value as unknown[]) lines.add(name, headerText(name, each));
}

function headerText(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) {
    throw new TypeError(`Cannot send header "${name}": its value is ${String(value)}`);
  }
  // Numbers mostly; whatever it is, Node takes its text too.
  // oxlint-disable-next-line typescript/no-base-to-string -- as Node does
  return String(value);
}

/** `writeHead(200, [["a", "b"]])` and `writeHead(200, ["a", "b"])`. */
function addList(lines: HeaderLines, headers: readonly unknown[]): void {
  if (Array.isArray(headers[0])) {
    for (const pair of headers as readonly [string, unknown][]) addHeader(lines, pair[0], pair[1]);
    return;
  }
  for (let index = 0; index < headers.length; index += 2) {
    addHeader(lines, String(headers[index]), headers[index + 1]);
  }
}

function flatten(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => {
    const colon = line.indexOf(": ");
    return colon < 0 ? [] : [line.slice(0, colon), line.slice(colon + 2)];
  });
}

function pickCallback(encoding: unknown, callback: unknown): Callback | undefined {
  if (typeof encoding === "function") return encoding as Callback;
  return typeof callback === "function" ? (callback as Callback) : undefined;
}

function assertChunk(chunk: unknown): asserts chunk is Chunk {
  if (typeof chunk === "string" || chunk instanceof Uint8Array) return;
  const code = chunk === null ? "ERR_STREAM_NULL_VALUES" : "ERR_INVALID_ARG_TYPE";
  const text = `Cannot write the response: a chunk is a string or Uint8Array, this is ${typeof chunk}`;
  throw Object.assign(new TypeError(text), { code });
}

function toBytes(chunk: Chunk, encoding: unknown): Buffer | string {
  if (typeof chunk !== "string") {
    return Buffer.isBuffer(chunk)
      ? chunk
      : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  return isUtf8(encoding) ? chunk : Buffer.from(chunk, encoding as BufferEncoding);
}

function isUtf8(encoding: unknown): boolean {
  return typeof encoding !== "string" || encoding === "utf8" || encoding === "utf-8";
}

/** Length of a body that is complete with its last chunk; -1 when a HEAD response has none to measure. */
function finalLength(hasBody: boolean, chunk: Chunk | undefined, encoding: unknown): number {
  if (chunk === undefined) return hasBody ? 0 : -1;
  if (typeof chunk !== "string") return chunk.byteLength;
  return isUtf8(encoding)
    ? Buffer.byteLength(chunk)
    : Buffer.byteLength(chunk, encoding as BufferEncoding);
}

function afterEndError(): Error {
  return Object.assign(new Error("write after end"), { code: "ERR_STREAM_WRITE_AFTER_END" });
}

function destroyedError(): Error {
  return Object.assign(new Error("Cannot call write after a stream was destroyed"), {
    code: "ERR_STREAM_DESTROYED",
  });
}
