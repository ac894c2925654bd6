/**
 * A web Request that costs little: URL and method at once, headers, signal and body when somebody asks, a native
 * Request behind it only for what nothing else can do (clone, formData, being given to fetch). After @hono/node-server.
 */
import type { Exchange } from "../../server/exchange.ts";
import { bodyStream, readWholeBody } from "./body-reader.ts";
import { requestUrl } from "./request-url.ts";

export type NativeRequestClass = typeof Request;

export interface RequestClasses {
  /** The class that takes the place of the global one. */
  readonly Request: NativeRequestClass;
  /** Throws TypeError when the client's Host and target make no URL. */
  readonly create: (exchange: Exchange) => LightRequestLike;
  /** The native request behind a light one; anything else as it is. */
  readonly unwrap: (input: unknown) => unknown;
}

export type LightRequestLike = Request & { clientGone(): void };

/** Builds the classes around the platform's own; called at the first use, because loading undici takes time. */
export function createRequestClasses(Native: NativeRequestClass): RequestClasses {
  class LightRequest {
    readonly #exchange: Exchange;
    readonly url: string;
    #headers: Headers | undefined;
    #controller: AbortController | undefined;
    #gone = false;
    #native: Request | undefined;
    #used = false;

    constructor(exchange: Exchange) {
      this.#exchange = exchange;
      this.url = requestUrl(exchange);
    }

    get method(): string {
      return this.#exchange.head.method;
    }

    get headers(): Headers {
      return (this.#headers ??= toHeaders(this.#exchange.head.headers));
    }

    get signal(): AbortSignal {
      if (this.#controller === undefined) {
        this.#controller = new AbortController();
        if (this.#gone) this.#controller.abort(goneReason());
      }
      return this.#controller.signal;
    }

    get body(): ReadableStream<Uint8Array> | null {
      return this.#hasBody ? this.native().body : null;
    }

    get bodyUsed(): boolean {
      return this.#used || (this.#native?.bodyUsed ?? false);
    }

    async text(): Promise<string> {
      return (await this.#whole()).toString("utf8").replace(/^\ufeff/, "");
    }

    async json(): Promise<unknown> {
      return JSON.parse(await this.text());
    }

    async arrayBuffer(): Promise<ArrayBuffer> {
      // A copy: the buffer may be a slice of a larger one.
      return new Uint8Array(await this.#whole()).buffer;
    }

    async bytes(): Promise<Uint8Array> {
      return new Uint8Array(await this.#whole());
    }

    async blob(): Promise<Blob> {
      const type = this.headers.get("content-type") ?? "";
      return new Blob([await this.arrayBuffer()], { type });
    }

    formData(): Promise<FormData> {
      return this.native().formData();
    }

    clone(): Request {
      return this.native().clone();
    }

    /** The client has gone away before the response was complete. */
    clientGone(): void {
      this.#gone = true;
      this.#controller?.abort(goneReason());
    }

    native(): Request {
      return (this.#native ??= this.#makeNative());
    }

    get #hasBody(): boolean {
      const { body, method } = this.#exchange.head;
      return body.kind !== "none" && method !== "GET" && method !== "HEAD";
    }

    #whole(): Promise<Buffer> {
      if (this.#used) return Promise.reject(new TypeError("Body is unusable"));
      if (this.#native !== undefined) {
        return this.#native.arrayBuffer().then((bytes) => Buffer.from(bytes));
      }
      if (!this.#hasBody) return Promise.resolve(Buffer.alloc(0));
      this.#used = true;
      return readWholeBody(this.#exchange);
    }

    #makeNative(): Request {
      if (this.#used) throw new TypeError("Body is unusable");
      const { method } = this;
      const init: RequestInit = { headers: this.headers, signal: this.signal };
      // fetch forbids TRACE in its constructor only.
      if (method !== "TRACE") init.method = method;
      if (this.#hasBody) Object.assign(init, { body: bodyStream(this.#exchange), duplex: "half" });
      const native = new Native(this.url, init);
      if (method === "TRACE") Object.defineProperty(native, "method", { value: method });
      return native;
    }
  }

  for (const name of NATIVE_ONLY) {
    Object.defineProperty(LightRequest.prototype, name, {
      get(this: LightRequest): unknown {
        return this.native()[name];
      },
    });
  }
  Object.setPrototypeOf(LightRequest.prototype, Native.prototype);

  const unwrap = (input: unknown): unknown =>
    typeof input === "object" && input !== null && isLight(input) ? input.native() : input;
  const isLight = (input: object): input is LightRequest =>
    Object.getPrototypeOf(input) === LightRequest.prototype;

  const Replacement = class Request extends Native {
    constructor(input: string | URL | globalThis.Request, init?: RequestInit) {
      super(unwrap(input) as string, init);
    }

    /** Native and light requests are requests; a subclass of an application keeps the usual meaning. */
    static override [Symbol.hasInstance](value: unknown): boolean {
      const usual = Function.prototype[Symbol.hasInstance];
      return usual.call(this === Replacement ? Native : this, value);
    }
  };

  return {
    Request: Replacement,
    create: (exchange) => new LightRequest(exchange) as unknown as LightRequestLike,
    unwrap,
  };
}

const NATIVE_ONLY = [
  "cache",
  "credentials",
  "destination",
  "duplex",
  "integrity",
  "keepalive",
  "mode",
  "redirect",
  "referrer",
  "referrerPolicy",
] as const;

function toHeaders(flat: readonly string[]): Headers {
  const headers = new Headers();
  for (let index = 0; index < flat.length; index += 2) {
    headers.append(flat[index] ?? "", flat[index + 1] ?? "");
  }
  return headers;
}

function goneReason(): DOMException {
  return new DOMException("The client is gone", "AbortError");
}
