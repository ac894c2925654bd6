/** Runs a fetch handler for an exchange: a light Request in, a Response of any kind out. */
import type { Exchange } from "../../server/exchange.ts";
import type { Dispatch, Flight } from "./flights.ts";
import { requestClasses, responseClasses } from "./fetch-classes.ts";
import { HeaderLines } from "./header-lines.ts";
import type { LightBody } from "./light-response.ts";
import type { LightRequestLike } from "./light-request.ts";
import { sendStream } from "./send-stream.ts";

export type FetchHandler = (request: Request, context: FetchContext) => unknown;

/** Second argument of a fetch handler: what a Request cannot say. Hono shows it as `c.env`. */
export interface FetchContext {
  readonly peer: Exchange["peer"];
  readonly secure: boolean;
  /** For @hono/node-server's `getConnInfo`. */
  readonly incoming: { readonly socket: Exchange["socket"] };
  /** Keeps a draining worker alive until the promise is settled. */
  waitUntil(promise: Promise<unknown>): void;
}

export interface FetchHost {
  waitUntil(promise: Promise<unknown>): void;
  /** An error of the application, for its log. */
  report(error: unknown): void;
}

const TEXT_TYPE = "text/plain;charset=UTF-8";
const TEXT_LINES = `content-type: ${TEXT_TYPE}\r\n`;

export function createFetchDispatch(handler: FetchHandler, host: FetchHost): Dispatch {
  const { create } = requestClasses();
  const { lightBody } = responseClasses();

  const send = (exchange: Exchange, result: unknown): void => {
    try {
      if (exchange.done) return;
      if (!(result instanceof Response)) {
        throw new TypeError(`Cannot send what the fetch handler returned: ${kindOf(result)}`);
      }
      const light = lightBody(result);
      if (light === undefined) sendNative(exchange, result, fail);
      else sendLight(exchange, light);
    } catch (error) {
      fail(exchange, error);
    }
  };

  const fail = (exchange: Exchange, error: unknown): void => {
    // A client that left is no error of the application.
    if (exchange.done && error instanceof DOMException && error.name === "AbortError") return;
    host.report(error);
    if (!exchange.done) exchange.fail(500, "the fetch handler failed");
  };

  return (exchange, flight) => {
    let request: LightRequestLike;
    try {
      request = create(exchange);
    } catch {
      exchange.onClose = () => flight.end();
      exchange.fail(400, "Host and target make no URL");
      return;
    }
    watch(exchange, flight, request);
    try {
      const result = handler(request, new Context(exchange, host));
      if (isThenable(result)) {
        result.then(
          (value) => send(exchange, value),
          (error: unknown) => fail(exchange, error),
        );
      } else send(exchange, result);
    } catch (error) {
      fail(exchange, error);
    }
  };
}

function watch(exchange: Exchange, flight: Flight, request: LightRequestLike): void {
  exchange.onAbort = () => request.clientGone();
  exchange.onClose = () => flight.end();
}

class Context implements FetchContext {
  readonly #exchange: Exchange;
  readonly #host: FetchHost;

  constructor(exchange: Exchange, host: FetchHost) {
    this.#exchange = exchange;
    this.#host = host;
  }

  get peer(): Exchange["peer"] {
    return this.#exchange.peer;
  }

  get secure(): boolean {
    return this.#exchange.secure;
  }

  get incoming(): FetchContext["incoming"] {
    return { socket: this.#exchange.socket };
  }

  waitUntil(promise: Promise<unknown>): void {
    this.#host.waitUntil(promise);
  }
}

/** The whole response in one piece. */
function sendLight(exchange: Exchange, { status, headers, body }: LightBody): void {
  const bytes = body === null || typeof body === "string" ? body : viewOf(body);
  const length =
    body === null ? 0 : typeof body === "string" ? Buffer.byteLength(body) : body.length;
  const bodiless = status === 204 || status === 304;
  if (isTextOnly(headers)) {
    exchange.startRaw(status, "", TEXT_LINES, length);
  } else {
    const lines = linesOf(headers);
    const known = lines.contentLength >= 0 ? lines.contentLength : bodiless ? -1 : length;
    exchange.startRaw(status, "", lines.text, known);
  }
  if (bytes === null || length === 0 || exchange.head.method === "HEAD") exchange.end();
  else exchange.end(bytes);
}

function sendNative(
  exchange: Exchange,
  response: Response,
  fail: (exchange: Exchange, error: unknown) => void,
): void {
  const { status, statusText, body } = response;
  if (status < 200) throw new TypeError(`Cannot send a response of status ${status}`);
  const lines = linesOf(response.url === "" ? response.headers : decodedHeaders(response));
  const known = body === null && status !== 204 && status !== 304 ? 0 : -1;
  exchange.startRaw(
    status,
    statusText,
    lines.text,
    lines.contentLength >= 0 ? lines.contentLength : known,
  );
  if (body === null || exchange.head.method === "HEAD") {
    void body?.cancel();
    exchange.end();
    return;
  }
  void sendStream(exchange, body).catch((error: unknown) => fail(exchange, error));
}

/** What `fetch` gave has its body decoded already, though the headers still speak of the encoded one. */
function decodedHeaders(response: Response): Headers {
  if (!response.headers.has("content-encoding")) return response.headers;
  const headers = new Headers(response.headers);
  headers.delete("content-encoding");
  headers.delete("content-length");
  return headers;
}

function linesOf(headers: readonly string[] | Headers): HeaderLines {
  const lines = new HeaderLines();
  if (headers instanceof Headers) {
    for (const [name, value] of headers) lines.add(name, value);
    return lines;
  }
  for (let index = 0; index < headers.length; index += 2) {
    lines.add(headers[index] ?? "", headers[index + 1] ?? "");
  }
  return lines;
}

/** `new Response("text")`, the commonest of all. */
function isTextOnly(headers: readonly string[] | Headers): boolean {
  if (headers instanceof Headers) return false;
  return headers.length === 2 && headers[0] === "content-type" && headers[1] === TEXT_TYPE;
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    "then" in value &&
    typeof value.then === "function"
  );
}

function kindOf(value: unknown): string {
  if (value === null || typeof value !== "object") return String(value);
  return `an object of ${value.constructor?.name ?? "no class"}`;
}
