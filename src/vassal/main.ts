/** Entry of a vassal process: reads its specification from the inherited descriptor and becomes that generation. */
import { closeSync, readFileSync } from "node:fs";
import { VASSAL_EXIT } from "../core/exit-codes.ts";
import { messageOf } from "../core/errors.ts";
import { SPEC_FD } from "../ipc/vassal-spec.ts";
import type { VassalSpec } from "../ipc/vassal-spec.ts";
import { loadRuntime } from "./load-runtime.ts";

const PARENT_CHECK_MS = 1000;

function readSpec(): VassalSpec {
  try {
    // Written by the launcher of the same release, from validated data: parsed, not validated again.
    const spec = JSON.parse(readFileSync(SPEC_FD, "utf8")) as VassalSpec;
    closeSync(SPEC_FD);
    return spec;
  } catch (error) {
    process.stderr.write(
      `Cannot read the vassal specification from descriptor ${SPEC_FD}: ${messageOf(error)}: ` +
        "this program is started by tsgi-emperor or 'tsgi run'\n",
    );
    process.exit(VASSAL_EXIT.badSpec);
  }
}

async function main(): Promise<void> {
  const spec = readSpec();
  process.title = `tsgi ${spec.name}#${spec.generation}`;
  const createRuntime = await loadRuntime(spec);
  // Evaluated only now: what loads an application has been started by then.
  const { Vassal } = await import("./vassal.ts");
  const vassal = new Vassal(spec, createRuntime);
  process.on("uncaughtException", (error) => vassal.crash(error));
  process.on("unhandledRejection", (error) => vassal.crash(error));
  const leave = (): void => {
    void vassal.drain(spec.config.drainTimeoutMs);
  };
  process.on("SIGTERM", leave);
  process.on("SIGINT", leave);
  // A terminal that closes is no reason to stop serving.
  process.on("SIGHUP", () => undefined);
  if (spec.link === undefined) leaveWithParent(leave);
  await vassal.start();
}

/** Without an emperor nobody is left to stop this process when the one that started it has died. */
function leaveWithParent(leave: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) leave();
  }, PARENT_CHECK_MS).unref();
}

void main();
