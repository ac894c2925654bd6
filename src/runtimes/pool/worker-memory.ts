/** Private memory of a process, read from the kernel at the price of one small file. */
import { readFileSync } from "node:fs";

const PAGE_BYTES = 4096;

/** Bytes of `text`, the content of /proc/<pid>/statm (proc(5)): resident pages without the shared ones. */
export function privateBytes(text: string): number {
  const [, resident, shared] = text.split(" ").map(Number);
  return Math.max(0, (resident ?? 0) - (shared ?? 0)) * PAGE_BYTES;
}

/** Private memory of a running process; 0 when it is gone. Pages still shared with its loader count. */
export function readPrivateBytes(pid: number): number {
  try {
    return privateBytes(readFileSync(`/proc/${pid}/statm`, "latin1"));
  } catch {
    return 0;
  }
}
