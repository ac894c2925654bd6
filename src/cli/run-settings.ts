/** What an emperor runs with: flags before emperor.yaml before the defaults of the user. */
import { join, resolve } from "node:path";
import { loadEmperorSettings } from "../config/emperor-settings.ts";
import type { EmperorSettings } from "../config/emperor-settings.ts";
import { MAX_FILE_BYTES } from "../config/formats/source-text.ts";
import { formatProblem } from "../config/problem.ts";
import { TsgiError } from "../core/errors.ts";
import { readBounded } from "../platform/files.ts";
import type { LogFormat, LogLevel } from "../platform/logger.ts";
import { encodeUnix } from "../platform/socket-address.ts";
import { defaultPlaces } from "./places.ts";
import type { Environment } from "./places.ts";

export interface RunSettings {
  /** Absolute. */
  readonly vassalDirs: readonly string[];
  readonly runtimeDir: string;
  readonly stateDir: string;
  readonly rescanIntervalMs: number;
  readonly spawnConcurrency?: number;
  readonly logLevel: EmperorSettings["logLevel"];
  readonly envPass: readonly string[];
  /** About the settings file, for the log. */
  readonly warnings: readonly string[];
}

export interface Surroundings {
  readonly uid: number;
  readonly env: Environment;
  readonly home: string;
  readonly cwd: string;
}

const DEFAULTS: EmperorSettings = {
  vassals: [],
  rescanIntervalMs: 10_000,
  logLevel: "info",
  envPass: [],
};

/** The flags of `run` as they were given. */
export interface RunFlags {
  readonly vassals?: readonly string[];
  readonly runtimeDir?: string;
  readonly stateDir?: string;
  readonly config?: string;
  readonly logFormat?: LogFormat;
  readonly logLevel?: LogLevel;
}

/** Throws TsgiError for a settings file that is missing or wrong, and for a runtime dir too deep for its sockets. */
export function runSettings(flags: RunFlags, { uid, env, home, cwd }: Surroundings): RunSettings {
  const places = defaultPlaces(uid, env, home);
  const file = flags.config === undefined ? places.settingsFile : resolve(cwd, flags.config);
  const { settings, warnings } = readSettings(file, flags.config !== undefined);
  const named = flags.vassals?.map((dir) => resolve(cwd, dir)) ?? settings.vassals;
  const { spawnConcurrency } = settings;
  const runtimeDir =
    flags.runtimeDir === undefined
      ? (settings.runtimeDir ?? places.runtimeDir)
      : resolve(cwd, flags.runtimeDir);
  encodeUnix(join(runtimeDir, "control.sock"));
  return {
    vassalDirs: named.length === 0 ? [places.vassalDir] : named,
    runtimeDir,
    stateDir:
      flags.stateDir === undefined
        ? (settings.stateDir ?? places.stateDir)
        : resolve(cwd, flags.stateDir),
    rescanIntervalMs: settings.rescanIntervalMs,
    ...(spawnConcurrency !== undefined && { spawnConcurrency }),
    logLevel: flags.logLevel ?? settings.logLevel,
    envPass: settings.envPass,
    warnings,
  };
}

function readSettings(
  file: string,
  mustExist: boolean,
): { readonly settings: EmperorSettings; readonly warnings: readonly string[] } {
  const content = readBounded(file, { maxBytes: MAX_FILE_BYTES });
  if (!content.ok) {
    if (content.code === "ENOENT" && !mustExist) return { settings: DEFAULTS, warnings: [] };
    const message = `Cannot read the settings "${file}": ${content.reason}`;
    throw new TsgiError("TSGI_CONFIG_UNREADABLE", message);
  }
  const loaded = loadEmperorSettings({ file, bytes: content.bytes });
  if (!loaded.ok) {
    const lines = loaded.problems.map((problem) => `\n${formatProblem(problem)}`).join("");
    throw new TsgiError("TSGI_CONFIG_INVALID", `Cannot use the settings "${file}":${lines}`);
  }
  return {
    settings: loaded.config,
    warnings: loaded.warnings.map((problem) => formatProblem(problem)),
  };
}
