/** A process and everything that it has started, as far as the kernel still knows the relation (proc(5)). */
import { readFileSync, readdirSync } from "node:fs";
import { systemCode } from "../../core/errors.ts";

const DEEPEST = 32;

/** SIGKILL to `pid` and all its descendants; those that are gone are not an error. */
export function killTree(pid: number): void {
  for (const each of processTree(pid)) signal(each, "SIGKILL");
}

/** `pid` and all its descendants, parents first. */
export function processTree(pid: number): readonly number[] {
  const pids = [pid];
  collectChildren(pid, pids, 0);
  return pids;
}

/** A process that is gone already has what was wanted. */
export function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (systemCode(error) !== "ESRCH") throw error;
  }
}

function collectChildren(pid: number, into: number[], depth: number): void {
  if (depth >= DEEPEST) return;
  for (const child of childrenOf(pid)) {
    into.push(child);
    collectChildren(child, into, depth + 1);
  }
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "latin1")
        .split(" ")
        .filter((word) => word !== "")
        .map(Number),
    );
  } catch {
    return []; // It ended meanwhile, or the kernel has no such list.
  }
}
