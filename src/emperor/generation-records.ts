/** The part of a vassal's running record that is about one generation, and the file of all of them. */
import { FIRST_LISTEN_FD } from "../ipc/vassal-spec.ts";
import type { Child } from "./ports.ts";
import { hashToken, socketInode } from "./running-records.ts";
import type { RunningGeneration, RunningRecords } from "./running-records.ts";
import type { HeldSocket } from "./socket-registry.ts";
import type { GenerationHandle, VassalHandle } from "./vassal-handle.ts";
import type { Generation } from "./vassal-life.ts";

export function recordOf(
  handle: GenerationHandle,
  child: Child,
  facts: {
    readonly generation: Generation;
    readonly listeners: readonly HeldSocket[];
    readonly scratch: string;
  },
): RunningGeneration {
  return {
    generation: handle.number,
    pid: child.pid,
    startTime: child.startTime,
    serving: false,
    configHash: facts.generation.desired.hash,
    tokenHash: hashToken(handle.token),
    scratch: facts.scratch,
    listeners: facts.listeners.map(({ fd, address }, index) => ({
      fd: FIRST_LISTEN_FD + index,
      inode: socketInode(fd),
      address: address.text,
    })),
  };
}

export function writeRecord(records: RunningRecords, vassal: VassalHandle): void {
  records.write(
    vassal.name,
    [...vassal.generations.values()].flatMap(({ record }) => record ?? []),
  );
}
