/** What a peer of the control and stats sockets may see and do: root and the emperor's user all, others their own vassals. */
import type { EmperorSnapshot, JournalEvent } from "../stats/emperor-snapshot.ts";
import type { Commander, EmperorControl } from "./control.ts";

/** Whether the peer may see and command everything. */
export function isTrusted(by: Pick<Commander, "uid">, emperorUid: number): boolean {
  return by.uid === 0 || by.uid === emperorUid;
}

/** The part of a snapshot that this peer may read. */
export function visibleSnapshot(
  control: EmperorControl,
  by: Commander,
  trusted: boolean,
): EmperorSnapshot {
  const snapshot = control.snapshot();
  if (trusted) return snapshot;
  return {
    emperor: { ...snapshot.emperor, refused: [], warnings: [] },
    vassals: snapshot.vassals.filter((vassal) => control.mayCommand(by.uid, vassal.name)),
  };
}

/** Events without a vassal are the emperor's own affairs. */
export function maySeeEvent(
  control: EmperorControl,
  by: Commander,
  trusted: boolean,
  event: JournalEvent,
): boolean {
  return trusted || (event.vassal !== undefined && control.mayCommand(by.uid, event.vassal));
}
