/** The closed table of calls of the control socket: method and path to what the emperor is asked. No sockets here. */
import { parseDurationMs } from "../core/duration.ts";
import { TsgiError } from "../core/errors.ts";
import { metricsText } from "../stats/metrics-text.ts";
import { maySeeEvent, visibleSnapshot } from "./control-access.ts";
import type { Commander, CommandVerb, EmperorControl, WaitResult } from "./control.ts";
import { replyJson, replyProblem } from "./control-reply.ts";
import type { ControlReply } from "./control-reply.ts";

/** One call, after the connection's peer is known. */
export interface ControlCall {
  readonly control: EmperorControl;
  readonly query: URLSearchParams;
  readonly by: Commander;
  /** Root or the emperor's own user. */
  readonly trusted: boolean;
  /** Aborted when the caller hangs up. */
  readonly signal: AbortSignal;
  /** Stops the fleet and then this process. */
  readonly shutdown: (reason: string) => Promise<void>;
}

interface Route {
  readonly method: "GET" | "POST";
  /** Only root and the emperor's user. */
  readonly trustedOnly?: true;
  readonly handle: (call: ControlCall) => ControlReply | Promise<ControlReply>;
}

const MAX_NAMES = 1000;
const MAX_EVENTS = 10_000;
const DEFAULT_EVENTS = 50;
const MAX_WAIT_MS = 3_600_000;

/** A Map, not an object: names such as "constructor" are not in it. */
const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["/status", { method: "GET", handle: answerStatus }],
  ["/wait", { method: "GET", handle: answerWait }],
  ["/events", { method: "GET", handle: answerEvents }],
  ["/metrics", { method: "GET", handle: answerMetrics }],
  ["/reload", { method: "POST", handle: commandWith("reload") }],
  ["/restart", { method: "POST", handle: commandWith("restart") }],
  ["/stop", { method: "POST", handle: commandWith("stop") }],
  ["/start", { method: "POST", handle: commandWith("start") }],
  ["/pardon", { method: "POST", handle: commandWith("pardon") }],
  ["/rescan", { method: "POST", trustedOnly: true, handle: answerRescan }],
  ["/shutdown", { method: "POST", trustedOnly: true, handle: answerShutdown }],
]);

/** The answer to one call; throws TsgiError for what the caller did wrong. */
export async function answerCall(
  method: string,
  path: string,
  call: ControlCall,
): Promise<ControlReply> {
  const route = ROUTES.get(path);
  if (route === undefined) {
    const known = [...ROUTES].map(([each, { method }]) => `${method} ${each}`).join(", ");
    return replyProblem(404, "TSGI_USAGE", `Cannot find ${path}: the calls are ${known}`);
  }
  if (method !== route.method && !(method === "HEAD" && route.method === "GET")) {
    const reply = replyProblem(405, "TSGI_USAGE", `Cannot ${method} ${path}: use ${route.method}`);
    return { ...reply, allow: route.method };
  }
  if (route.trustedOnly === true && !call.trusted) {
    const message = `Cannot ${method} ${path} as uid ${call.by.uid}: only root and the emperor's user may`;
    return replyProblem(403, "TSGI_FORBIDDEN", message);
  }
  return route.handle(call);
}

async function answerStatus(call: ControlCall): Promise<ControlReply> {
  const patterns = namesIn(call.query);
  const chosen = patterns.length === 0 ? undefined : new Set(await selectNames(call, patterns));
  await call.control.refresh();
  const snapshot = visibleSnapshot(call.control, call.by, call.trusted);
  if (chosen === undefined) return replyJson(200, snapshot);
  const vassals = snapshot.vassals.filter((vassal) => chosen.has(vassal.name));
  return replyJson(200, { ...snapshot, vassals });
}

/** Long poll: answers when every chosen vassal has a result, or at the time-out with those that have one. */
async function answerWait(call: ControlCall): Promise<ControlReply> {
  const timeoutMs = waitTimeoutMs(call.query.get("timeout"));
  const patterns = requiredNames(call.query);
  // A file dropped a moment ago is not known by name yet.
  await call.control.rescan();
  const names = await selectNames(call, patterns);
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(timeoutMs)]);
  const settled = await Promise.all(
    names.map((name) => untilAborted(call.control.wait(name, signal), signal)),
  );
  const results = settled.filter((result) => result !== undefined);
  const done = new Set(results.map((result) => result.name));
  const pending = names.filter((name) => !done.has(name));
  const failed = results.some((result) => !result.ok);
  let outcome = "live";
  if (failed) outcome = "failed";
  else if (pending.length > 0) outcome = "timed-out";
  return replyJson(200, { outcome, results, pending });
}

/** The result, or undefined when the signal comes first, whatever the wait itself does with it. */
async function untilAborted(
  wait: Promise<WaitResult>,
  signal: AbortSignal,
): Promise<WaitResult | undefined> {
  const aborted = Promise.withResolvers<undefined>();
  const onAbort = (): void => {
    aborted.resolve(undefined);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([wait, aborted.promise]);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
    // The loser may still reject when it notices the signal.
    wait.catch(() => undefined);
  }
}

function answerEvents(call: ControlCall): ControlReply {
  const lines = recentEventLines(call);
  return { status: 200, text: lines.join(""), contentType: "application/x-ndjson" };
}

/** The newest events that the caller may see, one JSON line each, oldest first. */
export function recentEventLines(call: ControlCall): readonly string[] {
  const { control, by, trusted } = call;
  const count = eventCount(call.query.get("n"));
  return control
    .recentEvents(count)
    .filter((event) => maySeeEvent(control, by, trusted, event))
    .map((event) => `${JSON.stringify(event)}\n`);
}

async function answerMetrics(call: ControlCall): Promise<ControlReply> {
  await call.control.refresh();
  const text = metricsText(visibleSnapshot(call.control, call.by, call.trusted));
  return { status: 200, text, contentType: "text/plain; version=0.0.4; charset=utf-8" };
}

function commandWith(verb: CommandVerb): Route["handle"] {
  return async (call) => {
    const names = await selectNames(call, requiredNames(call.query));
    const results = names.map((name) => call.control.command(verb, name, call.by));
    return replyJson(results.every((result) => result.ok) ? 200 : 409, { results });
  };
}

async function answerRescan(call: ControlCall): Promise<ControlReply> {
  await call.control.rescan();
  return replyJson(200, { ok: true });
}

async function answerShutdown(call: ControlCall): Promise<ControlReply> {
  await call.shutdown(`asked for by uid ${call.by.uid}, pid ${call.by.pid}`);
  return replyJson(200, { ok: true });
}

/** Names that match and that the caller may command. Looks at the folder once more before it says "unknown". */
async function selectNames(
  call: ControlCall,
  patterns: readonly string[],
): Promise<readonly string[]> {
  let names: readonly string[];
  try {
    names = call.control.select(patterns);
  } catch (error) {
    if (!(error instanceof TsgiError) || error.code !== "TSGI_UNKNOWN_VASSAL") throw error;
    await call.control.rescan();
    names = call.control.select(patterns);
  }
  if (call.trusted) return names;
  const allowed = names.filter((name) => call.control.mayCommand(call.by.uid, name));
  if (allowed.length === 0) {
    throw new TsgiError(
      "TSGI_UNKNOWN_VASSAL",
      `Cannot find vassal ${patterns.map((each) => `"${each}"`).join(", ")}: none that uid ${call.by.uid} may see`,
    );
  }
  return allowed;
}

function requiredNames(query: URLSearchParams): readonly string[] {
  const names = namesIn(query);
  if (names.length > 0) return names;
  throw new TsgiError("TSGI_USAGE", "Cannot choose a vassal: the parameter name is missing");
}

function namesIn(query: URLSearchParams): readonly string[] {
  const names = query.getAll("name").filter((name) => name !== "");
  if (names.length <= MAX_NAMES) return names;
  throw new TsgiError("TSGI_USAGE", `Cannot take ${names.length} names: the limit is ${MAX_NAMES}`);
}

function waitTimeoutMs(text: string | null): number {
  const timeoutMs = text === null ? 60_000 : parseDurationMs(text, "s");
  if (timeoutMs !== undefined) return Math.min(timeoutMs, MAX_WAIT_MS);
  throw new TsgiError("TSGI_USAGE", `Cannot read timeout "${text}": write a duration such as 60s`);
}

function eventCount(text: string | null): number {
  if (text === null) return DEFAULT_EVENTS;
  if (/^\d{1,5}$/.test(text)) return Math.min(Number(text), MAX_EVENTS);
  throw new TsgiError("TSGI_USAGE", `Cannot read n "${text}": write a number from 0 to 10000`);
}
