/** How one worker of an `exec` program is started: argument list, environment and descriptors (sd_listen_fds(3)). */
import type { ExecSocket } from "../../config/vassal-config.ts";

export interface LaunchFacts {
  /** The program as an absolute path, and its arguments. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly socket: ExecSocket;
  readonly host: string;
  readonly port: number;
  /** Absolute path of setpriv(1), when the machine has it. */
  readonly setpriv: string | undefined;
}

export interface LaunchPlan {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** The listening socket goes in as descriptor 0; the step below makes it descriptor 3. */
  readonly inheritsSocket: boolean;
}

/**
 * LISTEN_PID is the pid of the program itself, known only after the fork. This constant script sets it and becomes the
 * program (exec keeps the pid); program and arguments are its positional parameters, never part of its text.
 */
const LISTEN_STEP = 'exec 3<&0 0</dev/null; LISTEN_PID=$$; export LISTEN_PID; exec "$@"';

/** setpriv makes the kernel send SIGTERM to the program when the vassal process is gone. */
export function planLaunch(facts: LaunchFacts): LaunchPlan {
  const inheritsSocket = facts.socket === "listen-fds";
  const guard = facts.setpriv === undefined ? [] : [facts.setpriv, "--pdeathsig", "TERM", "--"];
  const step = inheritsSocket ? ["/bin/sh", "-c", LISTEN_STEP, "sh"] : [];
  const [first = facts.program, ...rest] = [...guard, ...step, facts.program, ...facts.args];
  const own = { PORT: String(facts.port), HOST: facts.host };
  const env: Record<string, string> = { ...facts.env, ...own };
  // What a service manager above left in there is about other descriptors.
  for (const name of ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"]) delete env[name];
  if (inheritsSocket) Object.assign(env, { LISTEN_FDS: "1", LISTEN_FDNAMES: "http" });
  return { argv: [first, ...rest], env, inheritsSocket };
}
