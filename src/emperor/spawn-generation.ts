/** Makes a process of a generation and follows it to its exit; what happens goes back as events. */
import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Timers } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import { launchVassal } from "../launch/launch.ts";
import type { LaunchPrograms } from "../launch/plan.ts";
import { recordOf, writeRecord } from "./generation-records.ts";
import type { Journal } from "./journal.ts";
import type { Child, ChildExit, Processes } from "./ports.ts";
import type { RunningRecords } from "./running-records.ts";
import type { SocketRegistry } from "./socket-registry.ts";
import { GenerationHandle } from "./vassal-handle.ts";
import type { VassalHandle } from "./vassal-handle.ts";
import type { Generation, VassalEvent } from "./vassal-life.ts";

/** After the exit, what the process said last may still be on its way through the channel. */
const LAST_WORDS_MS = 50;

export interface SpawnDoors {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly processes: Processes;
  readonly registry: SocketRegistry;
  readonly journal: Journal;
  readonly records: RunningRecords;
  readonly linkPath: string;
  /** Makes the channel's socket again when it was removed; true when it had to. */
  ensureLink(): Promise<boolean>;
  readonly runtimeDir: string;
  readonly stateDir: string;
  readonly programs: LaunchPrograms;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly envPass: readonly string[];
  dispatch(name: string, event: VassalEvent): void;
}

/** Dispatches "spawned" and later "exited", or "spawnFailed". Never rejects for what a vassal does. */
export async function spawnGeneration(
  doors: SpawnDoors,
  vassal: VassalHandle,
  generation: Generation,
): Promise<void> {
  const { name } = vassal;
  const { number, desired } = generation;
  const handle = new GenerationHandle(number, randomBytes(24).toString("base64url"));
  vassal.generations.set(number, handle);
  vassal.lastSpawnMs = doors.clock.wallMs();
  let child: Child;
  try {
    if (await doors.ensureLink()) {
      const message = `The runtime dir "${doors.runtimeDir}" was cleaned by somebody: what is needed in it was made again`;
      doors.journal.add({ kind: "trouble", message });
    }
    const listeners = doors.registry.claim(name, desired.config.listen);
    const launched = await launchVassal<Child>(
      {
        name,
        generation: number,
        config: desired.config,
        file: vassal.file,
        listeners,
        defaultLogFile: join(doors.stateDir, "logs", `${name}.log`),
        runtimeDir: doors.runtimeDir,
        link: { path: doors.linkPath, token: handle.token },
        programs: doors.programs,
        env: doors.env,
        envPass: doors.envPass,
      },
      (request) => {
        handle.logFromBytes = sizeOf(
          desired.config.log ?? join(doors.stateDir, "logs", `${name}.log`),
        );
        return doors.processes.spawn(request);
      },
    );
    child = launched.child;
    handle.child = child;
    handle.dispose = () => launched.dispose();
    handle.uid = launched.identity?.uid;
    handle.gid = launched.identity?.gid;
    handle.release = launched.spec.release;
    handle.directory = launched.spec.directory;
    handle.logFile = launched.spec.logFile;
    handle.record = recordOf(handle, child, {
      generation,
      listeners,
      scratch: launched.spec.scratch,
    });
    writeRecord(doors.records, vassal);
    for (const message of launched.warnings)
      doors.journal.add({ kind: "trouble", vassal: name, generation: number, message });
  } catch (error) {
    doors.dispatch(name, { type: "spawnFailed", generation: number, reason: messageOf(error) });
    return;
  }
  doors.dispatch(name, { type: "spawned", generation: number, pid: child.pid });
  const exit = await child.exited;
  if (handle.link !== undefined)
    await Promise.race([handle.link.closed, after(doors.timers, LAST_WORDS_MS)]);
  doors.dispatch(name, { type: "exited", generation: number, how: exitSentence(exit) });
}

/** @example "exited with code 1", "was killed by SIGKILL" */
function exitSentence(exit: ChildExit): string {
  if (exit.signal !== undefined) return `was killed by ${exit.signal}`;
  return exit.code === undefined ? "ended (exit status unknown)" : `exited with code ${exit.code}`;
}

function after(timers: Timers, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    timers.after(delayMs, resolve);
  });
}

function sizeOf(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    // A log that cannot be looked at has no tail either.
    return 0;
  }
}
