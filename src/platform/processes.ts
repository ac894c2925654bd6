/** Starts and signals processes, through execa. Children lead sessions of their own and outlive this process. */
import { statSync } from "node:fs";
import { execa } from "execa";
import { TsgiError, messageOf, systemCode } from "../core/errors.ts";
import { processFacts } from "./proc.ts";

/** What to start: descriptors of the child from 0 on, "ignore" is /dev/null; `env` is all it gets. */
export interface StartRequest {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdio: readonly (number | "ignore")[];
}

export interface ExitFacts {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

export interface StartedChild {
  readonly pid: number;
  /** Field 22 of /proc/pid/stat. */
  readonly startTime: number;
  /** Resolves once, never rejects. */
  readonly exited: Promise<ExitFacts>;
  kill(signal: NodeJS.Signals): void;
  killGroup(signal: NodeJS.Signals): void;
}

/** The machine's processes, in the shape of the emperor's `Processes` port. */
export const systemProcesses = { spawn: startProcess };

/** Throws TsgiError TSGI_SPAWN_FAILED with the cause in words. */
export async function startProcess(request: StartRequest): Promise<StartedChild> {
  const [program, ...parameters] = request.argv;
  // execa's types know descriptors 0 to 9 only; it hands any number on as it is.
  const [input = "ignore", output = "ignore", errors = "ignore", ...further] =
    request.stdio as readonly ("ignore" | 9)[];
  const child = execa(program, parameters, {
    cwd: request.cwd,
    env: { ...request.env },
    extendEnv: false,
    stdio: [input, output, errors, ...further],
    // A session of its own, and no kill when this process ends: vassals outlive the emperor.
    detached: true,
    cleanup: false,
    reject: false,
  });
  const { pid } = child;
  if (pid === undefined) {
    const result = await child;
    throw new TsgiError(
      "TSGI_SPAWN_FAILED",
      `Cannot start "${program}": ${whyNot(request, result)}`,
      {
        cause: result,
      },
    );
  }
  // Even a child that has ended by now is in /proc: it is reaped by a later turn of the event loop.
  const startTime = processFacts(pid)?.startTime ?? 0;
  let gone = false;
  const exited = child.then((result): ExitFacts => {
    gone = true;
    return { code: result.exitCode, signal: result.signal };
  });
  return {
    pid,
    startTime,
    exited,
    kill: (signal) => {
      // After the exit the pid may belong to a stranger.
      if (!gone) sendSignal(pid, signal);
    },
    killGroup: (signal) => {
      // The kernel gives no pid away while a group carries it: another process there means that the group is empty.
      const holder = processFacts(pid);
      if (holder === undefined || holder.startTime === startTime) sendSignal(-pid, signal);
    },
  };
}

/** Sends a signal to a process, or with a negative number to a group; false when nobody is there to take it. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (systemCode(error) === "ESRCH") return false;
    throw error;
  }
}

/** The kernel says ENOENT for a missing program, a missing script interpreter and a missing directory alike. */
function whyNot(request: StartRequest, error: unknown): string {
  const program = request.argv[0];
  const directory = statSync(request.cwd, { throwIfNoEntry: false });
  if (directory === undefined) return `the directory "${request.cwd}" does not exist`;
  if (!directory.isDirectory()) return `"${request.cwd}" is not a directory`;
  switch (systemCode(causeOf(error))) {
    case "ENOENT":
      return program.includes("/") && statSync(program, { throwIfNoEntry: false }) !== undefined
        ? "the interpreter in its first line does not exist"
        : "there is no such program";
    case "EACCES":
      return `this user may not execute it, or not enter "${request.cwd}"`;
    case "ENOEXEC":
      return "it is not a program that this machine can run";
    case "E2BIG":
      return "its arguments and environment are too long";
    case "EAGAIN":
      return "the limit on processes of this user is reached";
    case "EMFILE":
      return "too many open files; raise LimitNOFILE or 'ulimit -n' of the emperor";
    case undefined:
    default:
      return messageOf(causeOf(error));
  }
}

/** execa wraps the system's error. */
function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error;
}
