/** Makes the emperor's folders, and refuses those in which anybody could replace its sockets and files. */
import { accessSync, constants, mkdirSync, statSync } from "node:fs";
import { TsgiError } from "../core/errors.ts";
import { fileProblem } from "../platform/files.ts";
import type { RunSettings } from "./run-settings.ts";

/** Everybody may pass, so that other users can ask about their own vassals. */
const RUNTIME_MODE = 0o755;
/** Others can open a log whose path they know and may read, but not look around. */
const STATE_MODE = 0o711;

/** Throws TsgiError TSGI_USAGE: without its folders an emperor can never work. */
export function prepareFolders(settings: RunSettings, uid: number): void {
  prepare(settings.runtimeDir, RUNTIME_MODE, "runtime dir", uid);
  prepare(settings.stateDir, STATE_MODE, "state dir", uid);
}

function prepare(path: string, mode: number, what: string, uid: number): void {
  try {
    mkdirSync(path, { recursive: true, mode });
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw refusal(path, what, fileProblem(error).reason);
  }
  const stats = statSync(path);
  if (!stats.isDirectory()) throw refusal(path, what, "it is not a folder");
  if ((stats.mode & 0o002) !== 0) {
    throw refusal(path, what, "everybody may write in it; run 'chmod o-w' on it or choose another");
  }
  if (uid !== 0 && stats.uid !== uid && stats.uid !== 0) {
    throw refusal(path, what, `it belongs to uid ${stats.uid}; choose a folder of your own`);
  }
}

function refusal(path: string, what: string, reason: string): TsgiError {
  return new TsgiError("TSGI_USAGE", `Cannot use ${what} "${path}": ${reason}`);
}
