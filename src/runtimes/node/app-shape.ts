/**
 * What a module's default export is. The rule, first match wins:
 *   1. an `http.Server`                                     -> its 'request' event
 *   2. an object or function with `fetch(request, ctx)`     -> fetch handler (Hono, itty-router, Bun and Deno style)
 *   3. an object with `ready`, `routing` and `server`       -> Fastify
 *   4. an object with `callback` and `middleware`           -> Koa
 *   5. a function with two parameters or more, or `handle`  -> (req, res) listener (plain, Express, Connect, Polka)
 *   6. any other function                                   -> fetch handler
 * A promise is awaited first; `default` of a CommonJS module that was compiled from ESM is looked into.
 */
import { Server } from "node:http";
import type { RequestListener } from "node:http";
import type { FetchHandler } from "./fetch-dispatch.ts";

export type AppShape =
  | { readonly kind: "fetch"; readonly name: string; readonly handler: FetchHandler }
  | { readonly kind: "listener"; readonly name: string; readonly listener: RequestListener }
  | {
      readonly kind: "server";
      readonly name: string;
      readonly server: Server;
      readonly prepare?: () => PromiseLike<unknown>;
    };

/** The shape of a default export, or undefined when it is none of these. */
export function shapeOf(exported: unknown): AppShape | undefined {
  const value = unwrapDefault(exported);
  if (value instanceof Server) return { kind: "server", name: "http.Server", server: value };
  if (!isObject(value)) return undefined;
  const { fetch, ready, routing, server, callback, middleware, handle } = value;
  if (isCallable(fetch)) {
    return { kind: "fetch", name: "fetch handler", handler: fetch.bind(value) };
  }
  if (isCallable(ready) && isCallable(routing) && server instanceof Server) {
    const prepare = (): PromiseLike<unknown> => ready.call(value) as PromiseLike<unknown>;
    return { kind: "server", name: "Fastify", server, prepare };
  }
  if (isCallable(callback) && Array.isArray(middleware)) {
    return { kind: "listener", name: "Koa", listener: callback.call(value) as RequestListener };
  }
  if (!isCallable(value)) return undefined;
  if (value.length >= 2 || isCallable(handle)) {
    return {
      kind: "listener",
      name: "(req, res) listener",
      listener: value as unknown as RequestListener,
    };
  }
  return { kind: "fetch", name: "fetch handler", handler: value };
}

type Callable = (...values: unknown[]) => unknown;

/** `exports.default` of a module that was ESM before a compiler made CommonJS of it. */
function unwrapDefault(value: unknown): unknown {
  if (isObject(value) && value["__esModule"] === true && "default" in value) {
    return value["default"];
  }
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

function isCallable(value: unknown): value is Callable {
  return typeof value === "function";
}
