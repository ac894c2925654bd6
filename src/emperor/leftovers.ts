/** Ends generations that a dead emperor left running, until adopting them exists. Only pid plus start time is believed. */
import { rmSync } from "node:fs";
import type { Timers } from "../core/clock.ts";
import { isRunning } from "../platform/proc.ts";
import { sendSignal } from "../platform/processes.ts";
import type { Journal } from "./journal.ts";
import type { RunningGeneration, RunningRecord, RunningRecords } from "./running-records.ts";

/** From SIGTERM, which makes a vassal drain, to SIGKILL. */
const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 20;

/** Resolves when none of them runs any more. */
export async function endLeftovers(
  records: RunningRecords,
  doors: { readonly timers: Timers; readonly journal: Journal },
): Promise<void> {
  await Promise.all(
    records.readAll().map(async (record) => {
      await Promise.all(record.generations.map((one) => endOne(record, one, doors)));
      records.remove(record.name);
    }),
  );
}

async function endOne(
  record: RunningRecord,
  one: RunningGeneration,
  doors: { readonly timers: Timers; readonly journal: Journal },
): Promise<void> {
  const { pid, startTime, generation } = one;
  if (isRunning(pid, startTime)) {
    doors.journal.add({
      kind: "leftover",
      vassal: record.name,
      generation,
      pid,
      message: `generation ${generation} of vassal ${record.name} was left by an emperor that is gone: it is ended before a new one starts`,
    });
    sendSignal(pid, "SIGTERM");
    for (
      let waitedMs = 0;
      waitedMs < PATIENCE_MS && isRunning(pid, startTime);
      waitedMs += LOOK_EVERY_MS
    ) {
      await pause(doors.timers);
    }
    while (isRunning(pid, startTime)) {
      sendSignal(-pid, "SIGKILL");
      await pause(doors.timers);
    }
    // What the leader left of its group.
    sendSignal(-pid, "SIGKILL");
  }
  if (typeof one.scratch === "string" && /\/s\/[0-9a-f]{8}$/.test(one.scratch)) {
    rmSync(one.scratch, { recursive: true, force: true });
  }
}

function pause(timers: Timers): Promise<void> {
  return new Promise((resolve) => {
    timers.after(LOOK_EVERY_MS, resolve);
  });
}
