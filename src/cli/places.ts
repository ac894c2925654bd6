/** Where things are for root and for everybody else (contract section 2). Pure: environment and uid are arguments. */
import { isAbsolute, join } from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Places {
  readonly vassalDir: string;
  readonly settingsFile: string;
  readonly runtimeDir: string;
  readonly stateDir: string;
}

/** The default places of an emperor that `uid` starts. */
export function defaultPlaces(uid: number, env: Environment, home: string): Places {
  if (uid === 0) {
    return {
      vassalDir: "/etc/tsgi/vassals",
      settingsFile: "/etc/tsgi/emperor.yaml",
      runtimeDir: "/run/tsgi",
      stateDir: "/var/lib/tsgi",
    };
  }
  const config = join(xdg(env["XDG_CONFIG_HOME"]) ?? join(home, ".config"), "tsgi");
  const stateDir = join(xdg(env["XDG_STATE_HOME"]) ?? join(home, ".local/state"), "tsgi");
  const runtime = xdg(env["XDG_RUNTIME_DIR"]);
  return {
    vassalDir: join(config, "vassals"),
    settingsFile: join(config, "emperor.yaml"),
    // Without a login session there is no runtime folder; the state folder belongs to the user alone, too.
    runtimeDir: runtime === undefined ? join(stateDir, "run") : join(runtime, "tsgi"),
    stateDir,
  };
}

/** The XDG specification: relative paths are invalid and count as unset. */
function xdg(value: string | undefined): string | undefined {
  return value !== undefined && isAbsolute(value) ? value : undefined;
}

export interface ClientQuery {
  readonly flag: string | undefined;
  readonly uid: number;
  readonly env: Environment;
  readonly home: string;
  readonly cwd: string;
}

/** Runtime folders in which a client looks for its emperor, the best first. A folder that was named is the only one. */
export function clientRuntimeDirs({ flag, uid, env, home, cwd }: ClientQuery): readonly string[] {
  const named = flag ?? (env["TSGI_RUNTIME_DIR"] === "" ? undefined : env["TSGI_RUNTIME_DIR"]);
  if (named !== undefined) return [isAbsolute(named) ? named : join(cwd, named)];
  const own = defaultPlaces(uid, env, home).runtimeDir;
  // The last is where `npm start` keeps the emperor of a checkout.
  return [...new Set([own, "/run/tsgi", join(cwd, ".tsgi/run")])];
}
