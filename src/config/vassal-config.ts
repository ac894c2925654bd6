/** A vassal file after validation: canonical names, defaults filled in, units turned into numbers. */

export type ListenProtocol = "http";

/** Where a vassal serves. `text` is what people read and what two vassals are compared by. */
export type ListenAddress =
  | {
      readonly kind: "tcp";
      readonly protocol: ListenProtocol;
      readonly host: string;
      readonly port: number;
      readonly text: string;
    }
  | {
      readonly kind: "unix";
      readonly protocol: ListenProtocol;
      readonly path: string;
      readonly text: string;
    };

/** The application, exactly one to a vassal. */
export type AppConfig =
  | { readonly kind: "python"; readonly target: string; readonly callable?: string }
  | { readonly kind: "node"; readonly target: string }
  | { readonly kind: "static"; readonly root: string }
  | { readonly kind: "exec"; readonly argv: readonly string[] };

/** How an `exec` program gets its socket: LISTEN_FDS (systemd), $PORT, or FastCGI on descriptor 0 (spoken later). */
export type ExecSocket = "listen-fds" | "port";

/** `none`: no request log; `json`, `common`, `combined`, or a format with uWSGI's %(name) fields. */
export type RequestLogFormat = string;

export interface VassalConfig {
  readonly app: AppConfig;
  readonly listen: readonly ListenAddress[];
  /** As written (may be relative to the vassal file, may end in a symlink); undefined = the vassal file's folder. */
  readonly directory?: string;
  readonly env: Readonly<Record<string, string>>;
  /** Absolute paths of files of NAME=value lines, read by the launcher at each deploy; later ones win, `env` wins over all. */
  readonly envFile: readonly string[];
  /** A program that replaces the language's usual interpreter. */
  readonly interpreter?: string;
  readonly virtualenv?: string;
  readonly pythonpath: readonly string[];
  /** `python` only: false loads the application in every worker instead of once before forking (uWSGI lazy-apps). */
  readonly preload: boolean;
  readonly workers: { readonly min: number; readonly max: number };
  readonly threads: number;
  /** Longest time for one request; 0 = none. */
  readonly deadlineMs: number;
  /** Recycling of a worker; 0 = never. */
  readonly maxRequests: number;
  readonly maxLifetimeMs: number;
  readonly maxRssBytes: number;
  readonly readyTimeoutMs: number;
  readonly drainTimeoutMs: number;
  /** A path that must answer 2xx or 3xx before a generation is ready. */
  readonly health?: string;
  readonly touch: readonly string[];
  readonly user?: string;
  readonly group?: string;
  readonly limits: {
    readonly openFiles?: number;
    readonly tasks?: number;
    readonly coreBytes?: number;
  };
  readonly log?: string;
  readonly requestLog: RequestLogFormat;
  readonly tags: readonly string[];
  readonly http: HttpLimits;
  readonly static: StaticConfig;
  readonly exec: { readonly socket: ExecSocket };
}

/** Limits of the HTTP front; each has an error page and a named reason of its own. */
export interface HttpLimits {
  /** Longest request line (414). */
  readonly maxTargetBytes: number;
  /** Whole head: request line and headers (431). */
  readonly maxHeadBytes: number;
  readonly maxHeaders: number;
  /** Largest request body, also when it is chunked (413). */
  readonly maxBodyBytes: number;
  /** First byte to end of the head (408). */
  readonly headTimeoutMs: number;
  /** Longest silence inside a body (408). */
  readonly bodyTimeoutMs: number;
  /** How long an idle keep-alive connection is kept. */
  readonly keepAliveMs: number;
  /** Longest time a client may take none of the bytes waiting for it. */
  readonly sendTimeoutMs: number;
  /** Open connections; further ones wait in the kernel's queue. */
  readonly maxConnections: number;
}

export interface StaticConfig {
  readonly index: readonly string[];
  readonly followSymlinks: boolean;
  /** The Cache-Control of files; undefined sends none. */
  readonly cacheControl?: string;
  /** File served with 200 for paths that do not exist (single-page applications). */
  readonly fallback?: string;
  /** Serve `name.br`, `name.zst`, `name.gz` beside `name` when the client accepts them. */
  readonly precompressed: boolean;
}
