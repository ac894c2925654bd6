/** Lines "what serves where" for whoever started the emperor by hand: one when a vassal's state settles or changes. */
import type { EmperorControl } from "../emperor/control.ts";
import type { VassalSnapshot, VassalState } from "../stats/emperor-snapshot.ts";
import { escapeControls } from "./render/columns.ts";

const SETTLED: ReadonlySet<VassalState> = new Set<VassalState>([
  "serving",
  "backing-off",
  "stopped",
  "invalid",
]);

/** Calls `print` with whole lines until the result is called. */
export function announceServing(
  emperor: Pick<EmperorControl, "snapshot" | "onEvent">,
  print: (text: string) => void,
): () => void {
  const told = new Map<string, string>();
  let scheduled = false;
  const look = (): void => {
    scheduled = false;
    const { vassals } = emperor.snapshot();
    for (const name of told.keys()) {
      if (!vassals.some((vassal) => vassal.name === name)) told.delete(name);
    }
    for (const vassal of vassals.filter(({ state }) => SETTLED.has(state))) {
      // A state is told once, not each try of a backoff.
      const fact = `${vassal.state} ${vassal.listen.join(" ")}`;
      if (told.get(vassal.name) !== fact) print(servingLine(vassal));
      told.set(vassal.name, fact);
    }
  };
  const stop = emperor.onEvent(() => {
    // The event is told before the state it leads to is in place; a burst of events is one look.
    if (!scheduled) setImmediate(look);
    scheduled = true;
  });
  return stop;
}

/** `hello-node            http://127.0.0.1:8801  serving` */
export function servingLine({ name, listen, state, reason }: VassalSnapshot): string {
  const where = listen.length === 0 ? "-" : listen.join(" ");
  const why = state === "serving" || reason === "" ? "" : `: ${reason}`;
  return `${escapeControls(`${name.padEnd(20)}  ${where.padEnd(22)}  ${state}${why}`)}\n`;
}
