/** Whether a listening port is really that of our program: another process may have taken it first (proc(5), tcp tables). */
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { processTree } from "./process-tree.ts";

const LISTENING = "0A";

/** Why the port is not served by process `pid` or a descendant, or undefined when it is (or nobody can tell). */
export function portProblem(pid: number, port: number): string | undefined {
  const inodes = listeningInodes(port);
  if (inodes.size === 0) return undefined;
  let isComplete = true;
  for (const member of processTree(pid)) {
    const sockets = socketsOf(member);
    if (sockets === undefined) isComplete = false;
    else if (sockets.some((inode) => inodes.has(inode))) return undefined;
  }
  return isComplete ? `another process listens on port ${port}` : undefined;
}

function listeningInodes(port: number): ReadonlySet<string> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const inodes = new Set<string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of readTable(table)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === LISTENING && local?.endsWith(suffix) && inode !== undefined) inodes.add(inode);
    }
  }
  return inodes;
}

function readTable(path: string): readonly string[] {
  try {
    return readFileSync(path, "latin1").split("\n");
  } catch {
    return []; // No IPv6 in this kernel, or no /proc.
  }
}

/** Undefined when its descriptors may not be read: it runs as somebody else, or has ended. */
function socketsOf(pid: number): readonly string[] | undefined {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).flatMap((fd) => socketInode(`${folder}/${fd}`) ?? []);
  } catch {
    return undefined;
  }
}

function socketInode(link: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(link))?.[1];
  } catch {
    return undefined; // Closed meanwhile.
  }
}
