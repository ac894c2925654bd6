/** The emperor's own settings file (emperor.yaml): the same machinery as vassal files, with the options of scope "emperor". */
import { load } from "./load.ts";
import type { ConfigFile, Loaded } from "./load.ts";
import * as emperor from "./options/emperor.ts";
import type { LogLevel } from "./options/emperor.ts";

/** Absent properties were not set; the caller has the defaults that depend on user and machine. */
export interface EmperorSettings {
  /** Absolute folders. */
  readonly vassals: readonly string[];
  readonly runtimeDir?: string;
  readonly stateDir?: string;
  readonly spawnConcurrency?: number;
  readonly rescanIntervalMs: number;
  readonly logLevel: LogLevel;
  /** Names of environment variables that vassals inherit from the emperor. */
  readonly envPass: readonly string[];
}

export function loadEmperorSettings(input: ConfigFile): Loaded<EmperorSettings> {
  return load(input, "emperor", (settings) => {
    const runtimeDir = settings.find(emperor.runtimeDir);
    const stateDir = settings.find(emperor.stateDir);
    const spawnConcurrency = settings.find(emperor.spawnConcurrency);
    return {
      vassals: settings.get(emperor.vassals),
      ...(runtimeDir === undefined ? {} : { runtimeDir }),
      ...(stateDir === undefined ? {} : { stateDir }),
      ...(spawnConcurrency === undefined ? {} : { spawnConcurrency }),
      rescanIntervalMs: settings.get(emperor.rescanInterval),
      logLevel: settings.get(emperor.logLevel),
      envPass: settings.get(emperor.envPass),
    };
  });
}
