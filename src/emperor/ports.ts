/** What the emperor needs from the machine; `platform/` provides it, tests may bring their own. */
import type { ListenAddress } from "../config/vassal-config.ts";

/** Listening sockets as plain descriptors (non-blocking, close-on-exec), created through the native door. */
export interface Sockets {
  /** Throws TsgiError TSGI_LISTEN_FAILED (in use, no rights, path taken) or TSGI_PATH_TOO_LONG. */
  listen(address: ListenAddress): OwnedSocket;
}

export interface OwnedSocket {
  readonly fd: number;
  /** Closes the descriptor and removes a unix socket's path if it is still this socket's. */
  close(): void;
}

export interface SpawnRequest {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Descriptors of the child from 0 on; "ignore" is /dev/null. */
  readonly stdio: readonly (number | "ignore")[];
}

export interface ChildExit {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

/** A child in a session of its own, which outlives this process. */
export interface Child {
  readonly pid: number;
  /** Field 22 of /proc/pid/stat: with the pid it names a process for good. */
  readonly startTime: number;
  /** Resolves once, never rejects. */
  readonly exited: Promise<ChildExit>;
  /** Signals the child alone; a child that is gone is not an error. */
  kill(signal: NodeJS.Signals): void;
  /** Signals its whole process group, also after the child itself is gone. */
  killGroup(signal: NodeJS.Signals): void;
}

export interface Processes {
  /** Throws TsgiError TSGI_SPAWN_FAILED with the cause in words. */
  spawn(request: SpawnRequest): Promise<Child>;
}

/** What the folder of a vassal file looks like to a monitor: identity and content, read in one go. */
export interface FileIdentity {
  readonly ino: bigint;
  readonly dev: bigint;
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

export interface Usage {
  /** CPU share (1 = one core) and resident bytes per pid; pids that are gone are missing. */
  sample(
    pids: readonly number[],
  ): Promise<ReadonlyMap<number, { readonly cpu: number; readonly rssBytes: number }>>;
}
