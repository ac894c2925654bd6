/** What a command means for a vassal in its present phase: the event to send, or why not. Pure. */
import type { CommandVerb } from "./control.ts";
import type { VassalEvent, VassalLife } from "./vassal-life.ts";

export interface CommandAnswer {
  readonly event?: VassalEvent;
  readonly message: string;
}

export function answerCommand(verb: CommandVerb, life: VassalLife): CommandAnswer {
  const { name, phase } = life;
  if (
    phase === "gone" ||
    (phase === "stopping" && (life.after === "remove" || life.after === "shutdown"))
  ) {
    return { message: `Cannot ${verb} vassal "${name}": it is being removed` };
  }
  switch (verb) {
    case "stop":
      return {
        event: { type: "stopAsked" },
        message: phase === "stopped" ? "is stopped already" : "stops",
      };
    case "pardon":
      return {
        event: { type: "pardonAsked" },
        message: phase === "throttled" ? "is pardoned and tries now" : "is pardoned",
      };
    case "start":
    case "restart":
      if (phase === "invalid")
        return { message: `Cannot ${verb} vassal "${name}": ${unusable(life)}` };
      return { event: { type: `${verb}Asked` }, message: `${verb}s` };
    case "reload":
      if (phase === "invalid")
        return { message: `Cannot reload vassal "${name}": ${unusable(life)}` };
      if (phase === "stopped" || phase === "stopping") {
        return {
          message: `Cannot reload vassal "${name}": it is stopped; use 'tsgi-emperor start ${name}'`,
        };
      }
      return { event: { type: "reloadAsked" }, message: "reloads" };
  }
}

function unusable(life: VassalLife): string {
  return life.problem?.reason ?? "there is no usable file yet";
}
