/** Turns what a monitor reports into events of vassals; a name heard for the first time becomes a vassal. */
import type { Clock } from "../core/clock.ts";
import type { Journal } from "./journal.ts";
import type { MonitorReport } from "./monitors/monitor.ts";
import type { Receipts } from "./receipts.ts";
import type { StopMarks } from "./stop-marks.ts";
import { VassalHandle } from "./vassal-handle.ts";
import { newLife } from "./vassal-life.ts";
import type { VassalTable } from "./vassal-table.ts";

export interface MonitorIntakeDoors {
  readonly clock: Clock;
  readonly table: VassalTable;
  readonly journal: Journal;
  readonly receipts: Receipts;
  readonly stopMarks: StopMarks;
}

export class MonitorIntake {
  readonly #doors: MonitorIntakeDoors;

  constructor(doors: MonitorIntakeDoors) {
    this.#doors = doors;
  }

  take(report: MonitorReport): void {
    if (report.type === "trouble") {
      this.#doors.journal.add({ kind: "trouble", message: report.message });
      return;
    }
    const { name, file } = report;
    if (report.type === "vassalRemoved") {
      this.#doors.table.dispatch(name, { type: "fileRemoved" });
      return;
    }
    const vassal = this.#doors.table.get(name) ?? this.#welcome(name, file);
    vassal.file = file;
    vassal.lastChangeMs = this.#doors.clock.wallMs();
    if (report.type === "vassalSeen") {
      const { hash, config, trigger } = report;
      this.#warn(vassal, report);
      this.#doors.table.dispatch(name, { type: "fileSeen", hash, config, trigger });
    } else {
      const { hash, reason, lines } = report;
      this.#doors.table.dispatch(name, { type: "fileInvalid", hash, reason, lines });
    }
  }

  /** Once for each content: a touch repeats nothing. */
  #warn(vassal: VassalHandle, seen: Extract<MonitorReport, { type: "vassalSeen" }>): void {
    vassal.warnings = seen.warnings;
    if (vassal.warnedHash === seen.hash) return;
    vassal.warnedHash = seen.hash;
    for (const message of seen.warnings) {
      this.#doors.journal.add({ kind: "config-warning", vassal: vassal.name, message });
    }
  }

  /** Numbers of generations go on where an emperor before this one stopped. */
  #welcome(name: string, file: string): VassalHandle {
    const lastReceipt = this.#doors.receipts.last(name);
    const life = newLife(name, {
      nextGeneration: (lastReceipt?.generation ?? 0) + 1,
      stopMark: this.#doors.stopMarks.has(name),
    });
    const vassal = new VassalHandle(life, {
      file,
      seenMs: this.#doors.clock.wallMs(),
      lastReceipt,
    });
    this.#doors.table.add(vassal);
    return vassal;
  }
}
