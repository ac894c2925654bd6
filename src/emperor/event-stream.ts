/** `/events?follow=1`: the journal as it happens. A reader that stalls costs a bounded buffer and then sees a gap. */
import type { ServerResponse } from "node:http";
import type { JournalEvent } from "../stats/emperor-snapshot.ts";
import { maySeeEvent } from "./control-access.ts";
import { recentEventLines } from "./control-routes.ts";
import type { ControlCall } from "./control-routes.ts";

/** What may wait in memory for one reader, beside what the kernel's socket buffer holds. */
const MAX_WAITING_BYTES = 262_144;

/** Writes recent events and then new ones until the caller hangs up or `call.signal` ends it. */
export function streamEvents(call: ControlCall, response: ServerResponse): void {
  const { control, by, trusted } = call;
  const recent = recentEventLines(call);
  response.writeHead(200, { "Content-Type": "application/x-ndjson", "Cache-Control": "no-store" });
  response.flushHeaders();
  for (const line of recent) response.write(line);
  let lost = 0;
  const closeGap = (): void => {
    if (lost === 0) return;
    response.write(`${JSON.stringify(gapMarker(lost))}\n`);
    lost = 0;
  };
  const unsubscribe = control.onEvent((event) => {
    if (!maySeeEvent(control, by, trusted, event)) return;
    if (response.writableLength > MAX_WAITING_BYTES) {
      lost += 1;
      return;
    }
    closeGap();
    response.write(`${JSON.stringify(event)}\n`);
  });
  response.on("drain", closeGap);
  const stop = (): void => {
    unsubscribe();
    response.end();
  };
  call.signal.addEventListener("abort", stop, { once: true });
  response.on("close", stop);
}

/** A line in the place of events that were dropped for this reader; the journal file has them. */
function gapMarker(count: number): Pick<JournalEvent, "kind" | "message"> & { lost: number } {
  return {
    kind: "gap",
    message: `${count} events were not sent: the reader was too slow`,
    lost: count,
  };
}
