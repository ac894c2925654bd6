/**
 * A web Response that costs little: text and bytes stay what they are until somebody wants a stream of them, and go
 * to the client in one piece. Everything else is a native Response from the start. After @hono/node-server.
 */

export type NativeResponseClass = typeof Response;

/** What a light response has to send, when it is still light. */
export interface LightBody {
  readonly status: number;
  /** Flat name, value list, or the Headers that the application has asked for. */
  readonly headers: readonly string[] | Headers;
  readonly body: string | Uint8Array | null;
}

export interface ResponseClasses {
  /** The class that takes the place of the global one. */
  readonly Response: NativeResponseClass;
  /** Undefined for a native response, or one that has become native. */
  readonly lightBody: (response: Response) => LightBody | undefined;
}

const TEXT_TYPE = "text/plain;charset=UTF-8";
const NULL_BODY_STATUS = new Set([101, 204, 205, 304]);

/** Builds the class around the platform's own; called at the first use, because loading undici takes time. */
export function createResponseClasses(Native: NativeResponseClass): ResponseClasses {
  class LightResponse {
    readonly #body: string | Uint8Array | null = null;
    readonly #status: number = 200;
    readonly #flat: string[] | undefined;
    #headers: Headers | undefined;
    #native: Response | undefined;

    /** `ownHeaders` is for `json` alone. */
    constructor(body?: unknown, init?: ResponseInit, ownHeaders?: string[]) {
      const status = init?.status ?? 200;
      const plain = isPlain(body, status, init);
      const flat = plain ? (ownHeaders ?? flatHeaders(init?.headers)) : undefined;
      if (flat === undefined) {
        this.#native = new Native(body as string, init);
        return;
      }
      this.#flat = flat;
      this.#status = status;
      this.#body = (body ?? null) as string | Uint8Array | null;
      if (typeof body === "string" && !hasType(flat)) flat.push("content-type", TEXT_TYPE);
    }

    get status(): number {
      return this.#native?.status ?? this.#status;
    }

    get ok(): boolean {
      return this.status >= 200 && this.status <= 299;
    }

    get headers(): Headers {
      this.#headers ??= this.#native?.headers ?? toHeaders(this.#flat ?? []);
      return this.#headers;
    }

    native(): Response {
      if (this.#native === undefined) {
        const init = { status: this.#status, headers: this.headers };
        this.#native = new Native(this.#body, init);
        // Whoever holds the old Headers object must not write into the void.
        this.#headers = this.#native.headers;
      }
      return this.#native;
    }

    light(): LightBody | undefined {
      if (this.#native !== undefined) return undefined;
      const headers = this.#headers ?? this.#flat ?? [];
      return { status: this.#status, headers, body: this.#body };
    }

    static json(data: unknown, init?: ResponseInit): LightResponse {
      const text = JSON.stringify(data);
      if (text === undefined) throw new TypeError("Value is not JSON serializable");
      const flat = flatHeaders(init?.headers) ?? [...new Headers(init?.headers)].flat();
      if (!hasType(flat)) flat.push("content-type", "application/json");
      return new LightResponse(text, { ...init, headers: pairs(flat) }, flat);
    }
  }

  for (const name of NATIVE_GETTERS) {
    Object.defineProperty(LightResponse.prototype, name, {
      get(this: LightResponse): unknown {
        return this.native()[name];
      },
    });
  }
  for (const name of NATIVE_METHODS) {
    Object.defineProperty(LightResponse.prototype, name, {
      value(this: LightResponse): unknown {
        return this.native()[name]();
      },
    });
  }
  Object.defineProperty(LightResponse, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      const usual = Function.prototype[Symbol.hasInstance];
      return usual.call((this === LightResponse ? Native : this) as () => void, value);
    },
  });
  Object.defineProperty(LightResponse, "name", { value: "Response" });
  Object.setPrototypeOf(LightResponse, Native);
  Object.setPrototypeOf(LightResponse.prototype, Native.prototype);

  return {
    Response: LightResponse as unknown as NativeResponseClass,
    lightBody: (response) => {
      const own = response as unknown as Partial<LightResponse>;
      return typeof own.light === "function" ? own.light() : undefined;
    },
  };
}

const NATIVE_GETTERS = ["body", "bodyUsed", "redirected", "statusText", "type", "url"] as const;
const NATIVE_METHODS = [
  "arrayBuffer",
  "blob",
  "bytes",
  "clone",
  "formData",
  "json",
  "text",
] as const;

/** Only what needs no check of the native constructor but these. */
function isPlain(body: unknown, status: number, init: ResponseInit | undefined): boolean {
  if (init?.statusText !== undefined && init.statusText !== "") return false;
  if (!Number.isInteger(status) || status < 200 || status > 599) return false;
  if (body === undefined || body === null) return true;
  if (typeof body !== "string" && !(body instanceof Uint8Array)) return false;
  return !NULL_BODY_STATUS.has(status);
}

/** A copy: the application may change its object later. Undefined for anything the native class should judge. */
function flatHeaders(init: ResponseInit["headers"]): string[] | undefined {
  const flat: string[] = [];
  if (init === undefined) return flat;
  if (init instanceof Headers) {
    for (const [name, value] of init) flat.push(name, value);
    return flat;
  }
  if (typeof init !== "object" || init === null) return undefined;
  if (Symbol.iterator in init) return flatPairs(init);
  for (const name in init) {
    const value: unknown = init[name];
    if (typeof value !== "string") return undefined;
    flat.push(name, value.trim());
  }
  return flat;
}

function flatPairs(init: Iterable<unknown>): string[] | undefined {
  const flat: string[] = [];
  for (const pair of init) {
    if (!Array.isArray(pair) || pair.length !== 2) return undefined;
    const [name, value] = pair as unknown[];
    if (typeof name !== "string" || typeof value !== "string") return undefined;
    flat.push(name, value.trim());
  }
  return flat;
}

function hasType(flat: readonly string[]): boolean {
  for (let index = 0; index < flat.length; index += 2) {
    const name = flat[index] ?? "";
    if (name.length === 12 && name.toLowerCase() === "content-type") return true;
  }
  return false;
}

function toHeaders(flat: readonly string[]): Headers {
  return new Headers(pairs(flat));
}

function pairs(flat: readonly string[]): [string, string][] {
  const list: [string, string][] = [];
  for (let index = 0; index < flat.length; index += 2) {
    list.push([flat[index] ?? "", flat[index + 1] ?? ""]);
  }
  return list;
}
