/** The global Request, Response and fetch of a worker with a fetch handler: light ones, made at the first touch. */
import { createRequestClasses, type RequestClasses } from "./light-request.ts";
import { createResponseClasses, type ResponseClasses } from "./light-response.ts";

let request: RequestClasses | undefined;
let response: ResponseClasses | undefined;

export function requestClasses(): RequestClasses {
  return (request ??= createRequestClasses(native.Request()));
}

export function responseClasses(): ResponseClasses {
  return (response ??= createResponseClasses(native.Response()));
}

/** Node's own globals are made at the first touch too; the way to them must be kept before it is replaced. */
const native = {
  Request: nativeGlobal("Request"),
  Response: nativeGlobal("Response"),
  fetch: nativeGlobal("fetch"),
};

/** Called before the application is loaded: it may keep the classes it finds. Costs nothing until they are used. */
export function installFetchClasses(): void {
  replaceGlobal("Request", () => requestClasses().Request);
  replaceGlobal("Response", () => responseClasses().Response);
  replaceGlobal("fetch", () => {
    const original = native.fetch();
    return function fetch(input: unknown, init?: RequestInit): Promise<Response> {
      return original(requestClasses().unwrap(input) as string, init);
    };
  });
}

function nativeGlobal<K extends "Request" | "Response" | "fetch">(
  name: K,
): () => (typeof globalThis)[K] {
  const property = Object.getOwnPropertyDescriptor(globalThis, name);
  const read = property?.get?.bind(globalThis) ?? (() => property?.value as unknown);
  return read as () => (typeof globalThis)[K];
}

function replaceGlobal(name: string, make: () => unknown): void {
  const define = (value: unknown): void => {
    Object.defineProperty(globalThis, name, {
      value,
      configurable: true,
      enumerable: false,
      writable: true,
    });
  };
  Object.defineProperty(globalThis, name, {
    configurable: true,
    enumerable: false,
    get: () => {
      const value = make();
      define(value);
      return value;
    },
    set: define,
  });
}
