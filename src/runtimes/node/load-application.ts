/** Prepares a process for its application, lets it load, finds out what it is, and reports. */
import { pathToFileURL } from "node:url";
import { shapeOf, type AppShape } from "./app-shape.ts";
import { reportError } from "./error-text.ts";
import { installFetchClasses } from "./fetch-classes.ts";
import { createFetchDispatch } from "./fetch-dispatch.ts";
import type { Dispatch } from "./flights.ts";
import { hookListen } from "./listen-hook.ts";
import { createListenerDispatch, createServerDispatch } from "./node-dispatch.ts";
import { NodeWorker } from "./worker.ts";
import type { WorkerSettings } from "./worker-settings.ts";

/** Called before the main module runs; everything it needs must be in place when this returns. */
export function loadApplication(settings: WorkerSettings): void {
  forgetPreload(settings.program);
  guardOutput();
  const worker = new NodeWorker(settings);
  let isBound = false;
  installFetchClasses();
  hookListen(settings.listeners[0]?.address, {
    onBound: (bound) => {
      isBound = true;
      worker.onDrained = () => bound.drained();
      worker.ready("program with listen()", createServerDispatch(bound.server, reportError));
    },
    onClosed: () => worker.closedByApp(),
  });
  process.once("beforeExit", () => {
    if (worker.isLoading)
      worker.fail(`${settings.target} exports no application and never listens`);
  });
  // A CommonJS main module has run by then; an ES module is found under way and awaited.
  setImmediate(() => {
    void recognise(settings, worker, () => isBound);
  });
}

async function recognise(
  settings: WorkerSettings,
  worker: NodeWorker,
  isBound: () => boolean,
): Promise<void> {
  let exported: unknown;
  try {
    const module = (await import(pathToFileURL(settings.target).href)) as { default?: unknown };
    // Not any thenable: awaiting a Fastify instance would start it before its module is done with it.
    exported = module.default instanceof Promise ? await module.default : module.default;
  } catch (error) {
    worker.crash(error);
    return;
  }
  // A program that has called listen() meanwhile is served by that.
  if (isBound()) return;
  try {
    const shape = shapeOf(exported);
    // No application among the exports: it will listen, or end without.
    if (shape === undefined) return;
    if (shape.kind === "server") await shape.prepare?.();
    if (!isBound()) worker.ready(shape.name, dispatchOf(shape, worker));
  } catch (error) {
    worker.crash(error);
  }
}

function dispatchOf(shape: AppShape, worker: NodeWorker): Dispatch {
  switch (shape.kind) {
    case "fetch":
      return createFetchDispatch(shape.handler, {
        report: reportError,
        waitUntil: (promise) => worker.stragglers.add(promise, reportError),
      });
    case "listener":
      return createListenerDispatch(shape.listener, reportError);
    case "server":
      return createServerDispatch(shape.server, reportError);
  }
}

/** Children of the application (`fork`) start with these flags; the preload is not for them. */
function forgetPreload(program: string): void {
  const at = process.execArgv.indexOf(program);
  if (at > 0) process.execArgv.splice(at - 1, 2);
}

/** A vassal process that died leaves broken pipes: `console.log` must not end a worker that still drains. */
function guardOutput(): void {
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
}
