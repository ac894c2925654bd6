/** `status` for people: one row to a vassal, at most 100 columns, reasons and last lines below the row. Pure. */
import { formatSize } from "../../core/size.ts";
import type { EmperorSnapshot, VassalSnapshot, VassalState } from "../../stats/emperor-snapshot.ts";
import { clip, columns, escapeControls } from "./columns.ts";
import type { Style } from "./style.ts";
import { warningLines } from "./warning-line.ts";

export const STATUS_WIDTH = 100;
const LAST_LINES = 5;
const NAME_MAX = 20;
const HEAD = ["NAME", "STATE", "URHS", "GEN", "PID", "WORKERS", "REQS", "MEM", "LISTEN"] as const;
const RIGHT_ALIGNED = new Set<string>(["GEN", "PID", "WORKERS", "REQS", "MEM"]);

export interface StatusOptions {
  readonly style: Style;
  /** Show where each vassal runs from as well. */
  readonly details: boolean;
}

/** The whole text, ending in a line feed. URHS: up, ready, healthy, serving. */
export function renderStatus(snapshot: EmperorSnapshot, { style, details }: StatusOptions): string {
  const { emperor, vassals } = snapshot;
  const rows = vassals.map((vassal) => rowOf(vassal));
  const [head = "", ...lines] = columns([HEAD, ...rows], RIGHT_ALIGNED, STATUS_WIDTH);
  const body = vassals.flatMap((vassal, index) => [
    paintState(lines[index] ?? "", vassal.state, style),
    ...notes(vassal, details).map((note) => style.faint(clip(`  ${note}`, STATUS_WIDTH))),
  ]);
  const table = vassals.length === 0 ? ["no vassals"] : [style.bold(head), ...body];
  return `${[...table, ...footer(emperor, style)].join("\n")}\n`;
}

function rowOf(vassal: VassalSnapshot): readonly string[] {
  const busy = vassal.workers.filter((worker) => worker.state === "busy").length;
  return [
    clip(vassal.name, NAME_MAX),
    vassal.state,
    factsText(vassal),
    vassal.generation === 0 ? "-" : String(vassal.generation),
    vassal.pid === 0 ? "-" : String(vassal.pid),
    vassal.workers.length === 0 ? "-" : `${busy}/${vassal.workers.length}`,
    shortCount(vassal.counters.requestsServed),
    vassal.rssBytes === 0 ? "-" : formatSize(vassal.rssBytes),
    vassal.listen.length === 0 ? "-" : escapeControls(vassal.listen.join(" ")),
  ];
}

function factsText({ up, ready, healthy, serving }: VassalSnapshot): string {
  const facts: readonly (readonly [boolean, string])[] = [
    [up, "U"],
    [ready, "R"],
    [healthy, "H"],
    [serving, "S"],
  ];
  return facts.map(([is, letter]) => (is ? letter : "-")).join("");
}

/** 1234567 => "1.2M": a column has six characters. */
function shortCount(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)}G`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)}M`;
  return count >= 1e5 ? `${Math.floor(count / 1000)}k` : String(count);
}

function paintState(row: string, state: VassalState, style: Style): string {
  const paint = { serving: style.good, starting: style.warn, deploying: style.warn }[
    state as "serving"
  ];
  const chosen = paint ?? (state === "stopped" || state === "stopping" ? style.faint : style.bad);
  return row.replace(` ${state} `, ` ${chosen(state)} `);
}

function notes(vassal: VassalSnapshot, details: boolean): readonly string[] {
  const { reason, releaseWarning, release, directory, draining, lastLines, backoff } = vassal;
  const told: string[] = [];
  if (reason !== "") told.push(reason);
  if (backoff !== undefined && !reason.includes("next in")) {
    const seconds = Math.ceil(backoff.nextInMs / 1000);
    told.push(`backing off, try ${backoff.attempt}, next in ${seconds} s`);
  }
  if (releaseWarning !== undefined) told.push(releaseWarning);
  told.push(...warningLines(vassal.warnings));
  if (draining.length > 0) {
    const old = draining.map(({ generation, pid }) => `#${generation} (pid ${pid})`).join(", ");
    told.push(`draining: ${old}`);
  }
  if (details) {
    told.push(
      `file ${vassal.file}`,
      release === directory ? release : `${directory} -> ${release}`,
    );
    told.push(`log ${vassal.logFile}`, `restarts ${vassal.restarts}, cpu ${vassal.cpu.toFixed(2)}`);
  }
  const failing = vassal.state !== "serving" || reason !== "";
  const news = lastLines.filter((line) => line !== reason).slice(-LAST_LINES);
  const last = failing ? news.map((line) => `| ${line}`) : [];
  return [...told, ...last].filter((line) => line !== "").map((line) => escapeControls(line));
}

function footer(emperor: EmperorSnapshot["emperor"], style: Style): readonly string[] {
  const refused = emperor.refused.map(({ file, reason }) => `refused ${file}: ${reason}`);
  return [...refused, ...emperor.warnings].map((line) =>
    style.warn(clip(escapeControls(line), STATUS_WIDTH)),
  );
}
