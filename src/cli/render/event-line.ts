/** One journal event as a line for people. Pure. */
import type { JournalEvent } from "../../stats/emperor-snapshot.ts";
import { escapeControls } from "./columns.ts";

/** `2026-11-22T15:00:00.123Z blog#3 live: generation 3 is live`; gaps in a stream have no time. */
export function renderEvent(event: Partial<JournalEvent>): string {
  const time = event.atMs === undefined ? "" : `${new Date(event.atMs).toISOString()} `;
  const generation = event.generation === undefined ? "" : `#${event.generation}`;
  const who = event.vassal === undefined ? "" : `${event.vassal}${generation} `;
  return `${escapeControls(`${time}${who}${event.kind ?? "event"}: ${event.message ?? ""}`)}\n`;
}
