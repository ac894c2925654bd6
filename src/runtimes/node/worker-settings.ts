/** What a worker process is told at birth, in one environment variable that the application never sees. */
import type { HttpLimits, ListenAddress, RequestLogFormat } from "../../config/vassal-config.ts";

/** Removed from the environment before the application is loaded. */
export const SETTINGS_VARIABLE = "TSGI_NODE_WORKER";

/** Descriptors of a worker process; 0–2 are never sockets (libuv would change their mode for every sharer). */
export const CHANNEL_FD = 3;
export const REQUEST_LOG_FD = 4;
export const FIRST_WORKER_LISTEN_FD = 5;

export interface WorkerSettings {
  readonly id: number;
  /** Absolute path of the module or program. */
  readonly target: string;
  /** This very program, for its watchdog thread. */
  readonly program: string;
  /** Listening sockets by their numbers in the worker. */
  readonly listeners: readonly { readonly fd: number; readonly address: ListenAddress }[];
  readonly limits: HttpLimits;
  readonly requestLog: RequestLogFormat;
  /** 0 = none. */
  readonly deadlineMs: number;
  readonly drainTimeoutMs: number;
}

/** Settings from the environment, which then holds them no more; undefined when this is no worker process. */
export function takeSettings(env: NodeJS.ProcessEnv): WorkerSettings | undefined {
  const text = env[SETTINGS_VARIABLE];
  if (text === undefined) return undefined;
  delete env[SETTINGS_VARIABLE];
  // Written by the vassal process of the same release, from validated data.
  return JSON.parse(text) as WorkerSettings;
}
