/** Writes what became of each deploy: the receipts of one vassal from the commands of its machine. */
import type { Clock } from "../core/clock.ts";
import { NO_TRAFFIC } from "../ipc/link.ts";
import type { DeployReceipt } from "../stats/emperor-snapshot.ts";
import { readTail } from "./journal.ts";
import { outputLines } from "./output-lines.ts";
import type { Receipts } from "./receipts.ts";
import type { GenerationHandle, VassalHandle } from "./vassal-handle.ts";
import type { VassalCommand } from "./vassal-life.ts";

const TAIL_BYTES = 16_384;

export interface ReceiptDoors {
  readonly clock: Clock;
  readonly receipts: Receipts;
}

type Of<T extends VassalCommand["type"]> = Extract<VassalCommand, { type: T }>;

export function writeReceipt(
  doors: ReceiptDoors,
  vassal: VassalHandle,
  command: Of<"writeReceipt">,
): void {
  const { generation, outcome, reason } = command;
  const handle = vassal.generation(generation.number);
  const lastLines = outcome === "failed" ? lastLinesOf(handle) : [];
  vassal.lastLines = lastLines;
  keepReceipt(doors, vassal, {
    ...blankReceipt(vassal.name),
    generation: generation.number,
    previousGeneration: generation.previous,
    trigger: generation.trigger,
    configHash: generation.desired.hash,
    release: handle?.release ?? "",
    outcome,
    reason,
    lastLines,
    steps: { ...NO_STEPS, ...generation.stamps },
  });
}

/** For a file that never became a generation, so that whoever waits learns why. */
export function writeRefusal(
  doors: ReceiptDoors,
  vassal: VassalHandle,
  command: Of<"writeRefusal">,
): void {
  vassal.lastLines = command.lines;
  keepReceipt(doors, vassal, {
    ...blankReceipt(vassal.name),
    generation: command.generation,
    previousGeneration: command.previous,
    trigger: command.previous === 0 ? "created" : "changed",
    configHash: command.hash,
    outcome: "failed",
    reason: command.reason,
    lastLines: command.lines,
    steps: { ...NO_STEPS, seenAtMs: command.seenAtMs },
  });
}

/** What the old generation did after the new one was live. */
export function amendReceipt(
  doors: ReceiptDoors,
  vassal: VassalHandle,
  facts: Of<"amendReceipt">,
): void {
  const receipt = vassal.lastReceipt;
  // A later deploy has its own receipt by now; the old story is told.
  if (receipt === null || receipt.generation !== facts.by) return;
  const old = vassal.generation(facts.old);
  const atMs = doors.clock.wallMs();
  const oldCounters = old?.counters ?? receipt.oldCounters;
  const steps =
    facts.step === "released"
      ? { ...receipt.steps, oldReleasedAtMs: atMs }
      : {
          ...receipt.steps,
          oldReleasedAtMs: receipt.steps.oldReleasedAtMs || atMs,
          oldGoneAtMs: atMs,
        };
  keepReceipt(doors, vassal, {
    ...receipt,
    steps,
    oldCounters,
    connectionsReset: oldCounters.connectionsReset,
    requestsFailed: oldCounters.requestsFailed,
  });
}

function keepReceipt(doors: ReceiptDoors, vassal: VassalHandle, receipt: DeployReceipt): void {
  vassal.lastReceipt = receipt;
  doors.receipts.write(receipt, true);
}

/** What it said itself, else the tail of what it wrote to the log since its start. */
function lastLinesOf(handle: GenerationHandle | undefined): readonly string[] {
  if (handle === undefined) return [];
  if (handle.failureLines.length > 0) return handle.failureLines;
  return outputLines(readTail(handle.logFile, TAIL_BYTES, handle.logFromBytes));
}

const NO_STEPS: DeployReceipt["steps"] = {
  seenAtMs: 0,
  spawnedAtMs: 0,
  readyAtMs: 0,
  servingAtMs: 0,
  oldReleasedAtMs: 0,
  oldGoneAtMs: 0,
};

function blankReceipt(name: string): DeployReceipt {
  return {
    vassal: name,
    generation: 0,
    previousGeneration: 0,
    trigger: "created",
    configHash: "",
    release: "",
    outcome: "pending",
    reason: "",
    lastLines: [],
    steps: NO_STEPS,
    oldCounters: NO_TRAFFIC,
    connectionsReset: 0,
    requestsFailed: 0,
  };
}
