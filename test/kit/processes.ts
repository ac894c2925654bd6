/** Processes as /proc shows them, for tests that assert that nothing is left behind. */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessFact {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  readonly startTime: number;
  readonly state: string;
}

/** All processes that can be read. */
export function allProcesses(): readonly ProcessFact[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => processFact(Number(entry)) ?? []);
}

export function processFact(pid: number): ProcessFact | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return {
      pid,
      state: fields[0] ?? "",
      parent: Number(fields[1]),
      session: Number(fields[3]),
      startTime: Number(fields[19]),
    };
  } catch {
    return undefined;
  }
}

/** The process and everything below it, by parent and by session. */
export function family(root: number): readonly ProcessFact[] {
  const all = allProcesses();
  const members = new Map(all.filter((each) => each.pid === root).map((each) => [each.pid, each]));
  for (let grown = true; grown;) {
    grown = false;
    for (const each of all) {
      if (!members.has(each.pid) && (members.has(each.parent) || members.has(each.session))) {
        members.set(each.pid, each);
        grown = true;
      }
    }
  }
  return [...members.values()];
}

export function isAlive(fact: ProcessFact): boolean {
  const now = processFact(fact.pid);
  return now !== undefined && now.startTime === fact.startTime && now.state !== "Z";
}
