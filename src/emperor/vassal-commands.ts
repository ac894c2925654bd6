/** Carries out what the machine decides. Executors never decide; what happens comes back as events. */
import { writeReceipt, writeRefusal, amendReceipt } from "./deploy-receipts.ts";
import type { ReceiptDoors } from "./deploy-receipts.ts";
import { writeRecord } from "./generation-records.ts";
import { spawnGeneration } from "./spawn-generation.ts";
import type { SpawnDoors } from "./spawn-generation.ts";
import type { SpawnQueue } from "./spawn-queue.ts";
import type { StopMarks } from "./stop-marks.ts";
import type { VassalHandle } from "./vassal-handle.ts";
import type { VassalCommand } from "./vassal-life.ts";

export type Executors = {
  readonly [T in VassalCommand["type"]]: (
    vassal: VassalHandle,
    command: Extract<VassalCommand, { type: T }>,
  ) => void;
};

export interface ExecutorDoors extends SpawnDoors, ReceiptDoors {
  readonly queue: SpawnQueue;
  readonly stopMarks: StopMarks;
  forget(name: string): void;
}

export function createExecutors(doors: ExecutorDoors): Executors {
  return {
    askSlot: (vassal, { generation, lane }) => doors.queue.ask(vassal.name, generation, lane),
    releaseSlot: (vassal, { generation }) => doors.queue.release(vassal.name, generation),
    spawn: (vassal, { generation }) => void spawnGeneration(doors, vassal, generation),
    tellServe: (vassal, { generation }) => {
      vassal.lastReadyMs = doors.clock.wallMs();
      vassal.generation(generation)?.tell({ type: "serve" });
    },
    tellDrain: (vassal, { generation, timeoutMs }) => {
      const handle = vassal.generation(generation);
      // Without a channel the signal says the same.
      if (handle?.link === undefined) handle?.child?.kill("SIGTERM");
      else handle.tell({ type: "drain", timeoutMs });
    },
    tellStop: (vassal, { generation }) =>
      vassal.generation(generation)?.link?.send({ type: "stop" }),
    signalGroup: (vassal, { generation, signal }) =>
      vassal.generation(generation)?.child?.killGroup(signal),
    dropGeneration: (vassal, { generation }) => {
      const handle = vassal.generation(generation);
      vassal.generations.delete(generation);
      handle?.link?.close();
      handle?.dispose();
      writeRecord(doors.records, vassal);
    },
    recordServing: (vassal, { generation }) => {
      vassal.lastAcceptingMs = doors.clock.wallMs();
      const handle = vassal.generation(generation);
      if (handle?.record !== undefined) handle.record = { ...handle.record, serving: true };
      writeRecord(doors.records, vassal);
    },
    writeReceipt: (vassal, command) => writeReceipt(doors, vassal, command),
    writeRefusal: (vassal, command) => writeRefusal(doors, vassal, command),
    amendReceipt: (vassal, command) => amendReceipt(doors, vassal, command),
    persistStopMark: (vassal, { stopped }) => doors.stopMarks.set(vassal.name, stopped),
    journal: (vassal, { type: _type, ...event }) =>
      void doors.journal.add({ ...event, vassal: vassal.name }),
    forget: (vassal) => {
      doors.records.remove(vassal.name);
      doors.forget(vassal.name);
    },
  };
}
