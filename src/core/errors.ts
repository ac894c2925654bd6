/** The error base class and the one table of error codes; everything that can fail for a user has a row here. */

/** One row: who has to act, the HTTP status or exit code that goes with it, and the way out in one sentence. */
export interface ErrorRow {
  readonly audience: "operator" | "developer" | "client";
  readonly status?: number;
  readonly exit?: number;
  readonly help: string;
}

export const ERROR_TABLE = {
  TSGI_USAGE: { audience: "operator", exit: 2, help: "See --help of the command" },
  TSGI_NODE_TOO_OLD: {
    audience: "operator",
    exit: 2,
    help: "Run with the Node release named in the message, or through npx, which uses the pinned one",
  },
  TSGI_CONFIG_INVALID: {
    audience: "operator",
    exit: 2,
    help: "Correct the lines named in the message; 'tsgi-emperor check FILE' lists all of them",
  },
  TSGI_CONFIG_UNREADABLE: {
    audience: "operator",
    exit: 2,
    help: "Make the file a regular file that the emperor's user may read",
  },
  TSGI_EMPEROR_RUNNING: {
    audience: "operator",
    exit: 2,
    help: "Stop the emperor whose pid is named, or choose another --runtime-dir",
  },
  TSGI_EMPEROR_ABSENT: {
    audience: "operator",
    exit: 3,
    help: "Start 'tsgi-emperor run', or name its --runtime-dir",
  },
  TSGI_PATH_TOO_LONG: {
    audience: "operator",
    exit: 2,
    help: "Choose a shorter path: a unix socket path has at most 107 bytes",
  },
  TSGI_LISTEN_FAILED: {
    audience: "operator",
    help: "Free the address, or choose another one in 'listen'",
  },
  TSGI_SPAWN_FAILED: {
    audience: "operator",
    help: "Correct the program, directory or user that the message names",
  },
  TSGI_APP_FAILED: {
    audience: "developer",
    help: "The application did not load; its last output lines are shown by 'status' and 'wait'",
  },
  TSGI_NOT_READY: {
    audience: "developer",
    help: "The application was not ready within 'ready-timeout'; raise it or make the start faster",
  },
  TSGI_UNKNOWN_VASSAL: {
    audience: "operator",
    exit: 2,
    help: "See 'tsgi-emperor status' for the names",
  },
  TSGI_DEPLOY_FAILED: {
    audience: "developer",
    exit: 1,
    help: "The old generation keeps serving; correct the application and touch the file again",
  },
  TSGI_TIMED_OUT: { audience: "operator", exit: 124, help: "Raise --timeout, or see 'status'" },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_TABLE;

/** An error a user can act on. `code` is stable; the message says what could not be done and what the value was. */
export class TsgiError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "TsgiError";
    this.code = code;
  }

  /** What to do about it, from the table. */
  get help(): string {
    return ERROR_TABLE[this.code].help;
  }

  /** Exit code of a command that ends with this error: 1 where the table names none. */
  get exit(): number {
    const row: ErrorRow = ERROR_TABLE[this.code];
    return row.exit ?? 1;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a system error such as `ENOENT`, or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    return error.code;
  }
  return undefined;
}
