/** Narrows what a vassal says to messages; nothing of it is trusted beyond its shape and size. Pure. */
import { NO_TRAFFIC } from "../ipc/link.ts";
import type { FromVassal, TrafficCounters, WorkerSnapshot, WorkerState } from "../ipc/link.ts";

const TEXT_MAX = 2000;
const LINES_MAX = 100;
const WORKERS_MAX = 1024;

type Fields = Readonly<Record<string, unknown>>;

/** The message, or undefined for anything unknown or malformed: a newer vassal may say more. */
export function parseFromVassal(value: unknown): FromVassal | undefined {
  if (!isFields(value)) return undefined;
  switch (value["type"]) {
    case "hello":
      return {
        type: "hello",
        linkVersion: count(value["linkVersion"]),
        name: text(value["name"]),
        generation: count(value["generation"]),
        pid: count(value["pid"]),
        token: text(value["token"]),
      };
    case "ready":
    case "accepting":
    case "loyal":
    case "released":
      return { type: value["type"] };
    case "failed":
      return { type: "failed", reason: text(value["reason"]), lines: lines(value["lines"]) };
    case "drained":
      return { type: "drained", counters: counters(value["counters"]) };
    case "event":
      return parseEvent(value["event"]);
    case "heartbeat":
      return {
        type: "heartbeat",
        counters: counters(value["counters"]),
        workers: list(value["workers"]).slice(0, WORKERS_MAX).map(worker),
        healthy: value["healthy"] === true,
      };
    default:
      return undefined;
  }
}

function parseEvent(value: unknown): FromVassal | undefined {
  if (!isFields(value)) return undefined;
  return {
    type: "event",
    event: {
      kind: text(value["kind"]).slice(0, 40),
      message: text(value["message"]),
      ...(typeof value["worker"] === "number" && { worker: count(value["worker"]) }),
      ...(typeof value["pid"] === "number" && { pid: count(value["pid"]) }),
    },
  };
}

function counters(value: unknown): TrafficCounters {
  const fields = isFields(value) ? value : {};
  return {
    ...NO_TRAFFIC,
    connectionsAccepted: count(fields["connectionsAccepted"]),
    connectionsOpen: count(fields["connectionsOpen"]),
    requestsServed: count(fields["requestsServed"]),
    requestsFailed: count(fields["requestsFailed"]),
    requestsRefused: count(fields["requestsRefused"]),
    connectionsReset: count(fields["connectionsReset"]),
  };
}

const WORKER_STATES = ["starting", "idle", "busy", "retiring", "gone"] as const;

function worker(value: unknown): WorkerSnapshot {
  const fields = isFields(value) ? value : {};
  const state =
    WORKER_STATES.find((each): each is WorkerState => each === fields["state"]) ?? "gone";
  return {
    id: count(fields["id"]),
    pid: count(fields["pid"]),
    state,
    requests: count(fields["requests"]),
    rssBytes: count(fields["rssBytes"]),
    startedAtMs: count(fields["startedAtMs"]),
    respawns: count(fields["respawns"]),
  };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function lines(value: unknown): readonly string[] {
  return list(value).slice(-LINES_MAX).map(text);
}

function text(value: unknown): string {
  return typeof value === "string" ? value.slice(0, TEXT_MAX) : "";
}

/** A number that can be counted with; anything else is 0. */
function count(value: unknown): number {
  return typeof value === "number" && value >= 0 && Number.isFinite(value)
    ? Math.min(value, Number.MAX_SAFE_INTEGER)
    : 0;
}
