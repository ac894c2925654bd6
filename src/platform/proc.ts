/** Readers of /proc: what the kernel says about a process. A process that is gone is a value, not an error. */
import { readFileSync } from "node:fs";
import { systemCode } from "../core/errors.ts";

export interface ProcessFacts {
  readonly pid: number;
  /** One letter of proc_pid_stat(5); "Z" has ended and waits for its parent. */
  readonly state: string;
  readonly parentPid: number;
  readonly groupId: number;
  readonly sessionId: number;
  /** Clock ticks after boot: with the pid it names a process for good. */
  readonly startTime: number;
}

/** Facts of a process, or undefined when there is none with this pid. */
export function processFacts(pid: number): ProcessFacts | undefined {
  const text = readProc(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseProcessStat(pid, text);
}

/** Parses /proc/PID/stat; the name in parentheses may itself contain spaces and parentheses. */
export function parseProcessStat(pid: number, text: string): ProcessFacts | undefined {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, parent, group, session] = fields;
  const startTime = Number(fields[19]);
  if (state === undefined || !Number.isSafeInteger(startTime)) return undefined;
  return {
    pid,
    state,
    parentPid: Number(parent),
    groupId: Number(group),
    sessionId: Number(session),
    startTime,
  };
}

/** Whether this very process (same pid and start time) still runs; a zombie does not. */
export function isRunning(pid: number, startTime: number): boolean {
  const facts = processFacts(pid);
  return facts !== undefined && facts.startTime === startTime && facts.state !== "Z";
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES") return undefined;
    throw error;
  }
}
