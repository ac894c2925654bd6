/** Finds out what a launch plan needs to know about the machine; every problem becomes a TsgiError with the fix. */
import { accessSync, constants, readFileSync, realpathSync, statSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { systemCode, TsgiError } from "../core/errors.ts";
import type { VassalConfig } from "../config/vassal-config.ts";
import { readBounded } from "../platform/files.ts";
import { ENV_FILE_MAX_BYTES, parseEnvFile } from "./env-file.ts";
import { resolveIdentity } from "./identity.ts";
import type { Identity } from "./identity.ts";
import { needsPrlimit } from "./plan.ts";
import type { LaunchOrder } from "./plan.ts";

const SYSTEM_FOLDERS = ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin"];

export interface FoundFacts {
  readonly release: string;
  readonly directory: string;
  readonly logFile: string;
  readonly fileEnv: Readonly<Record<string, string>>;
  readonly identity?: Identity;
  readonly prlimit?: string;
  readonly setpriv?: string;
}

/** Resolves everything that may change between two generations: links, users, tools. */
export function findFacts(order: LaunchOrder): FoundFacts {
  const { config, name } = order;
  const directory = directoryOf(order.file, config);
  const release = resolveRelease(name, directory);
  const identity = identityOf(order);
  const prlimit = needsPrlimit(config) ? systemTool(name, "prlimit") : undefined;
  const setpriv = identity === undefined ? undefined : systemTool(name, "setpriv");
  const fileEnv = readEnvFiles(order);
  checkProgram(order, release, fileEnv);
  return {
    directory,
    release,
    fileEnv,
    logFile:
      config.log === undefined ? order.defaultLogFile : resolve(dirname(order.file), config.log),
    ...(identity && { identity }),
    ...(prlimit !== undefined && { prlimit }),
    ...(setpriv !== undefined && { setpriv }),
  };
}

/** The directory as the vassal file means it, links not followed. */
export function directoryOf(file: string, config: VassalConfig): string {
  return resolve(dirname(file), config.directory ?? ".");
}

function resolveRelease(name: string, directory: string): string {
  try {
    const release = realpathSync(directory);
    if (statSync(release).isDirectory()) return release;
  } catch (error) {
    const why =
      systemCode(error) === "ENOENT"
        ? "does not exist"
        : `cannot be entered (${systemCode(error)})`;
    throw problem(
      name,
      `the directory "${directory}" ${why}; create it or correct "directory"`,
      error,
    );
  }
  throw problem(name, `"${directory}" is not a directory; correct "directory"`);
}

function identityOf(order: LaunchOrder): Identity | undefined {
  const { user, group } = order.config;
  if (user === undefined && group === undefined) return undefined;
  return resolveIdentity({
    vassal: order.name,
    ...(user !== undefined && { user }),
    ...(group !== undefined && { group }),
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    // Read directly: a lookup through NSS may hang, and this runs in the emperor's loop.
    passwd: readFileSync("/etc/passwd", "utf8"),
    groups: readFileSync("/etc/group", "utf8"),
  });
}

function systemTool(name: string, tool: string): string {
  const found = SYSTEM_FOLDERS.map((folder) => join(folder, tool)).find(isExecutable);
  if (found !== undefined) return found;
  throw problem(
    name,
    `the program "${tool}" is missing; install it with: apt-get install util-linux`,
  );
}

/** Later files win. A line that is wrong is named, never shown: it may be a secret. */
function readEnvFiles(order: LaunchOrder): Readonly<Record<string, string>> {
  const env: Record<string, string> = {};
  for (const path of order.config.envFile) {
    const file = readBounded(path, { maxBytes: ENV_FILE_MAX_BYTES });
    if (!file.ok)
      throw problem(order.name, `the env-file "${path}" cannot be read: ${file.reason}`);
    const parsed = parseEnvFile(file.bytes.toString());
    if (!parsed.ok)
      throw problem(
        order.name,
        `line ${parsed.line} of the env-file "${path}" is wrong: ${parsed.reason}`,
      );
    Object.assign(env, parsed.env);
  }
  return env;
}

/** Tells about a missing interpreter or program before a process is started for it. */
function checkProgram(
  order: LaunchOrder,
  release: string,
  fileEnv: Readonly<Record<string, string>>,
): void {
  const { app, interpreter, virtualenv, env } = order.config;
  const path =
    env["PATH"] ?? fileEnv["PATH"] ?? order.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin";
  if (app.kind === "exec") {
    const program = app.argv[0] ?? "";
    if (findProgram(program, release, path) === undefined) {
      throw problem(
        order.name,
        `the program "${program}" does not exist or may not be executed; install it or correct "exec"`,
      );
    }
  }
  if (interpreter !== undefined && findProgram(interpreter, release, path) === undefined) {
    throw problem(
      order.name,
      `the interpreter "${interpreter}" does not exist or may not be executed; correct "interpreter"`,
    );
  }
  if (app.kind !== "python" || interpreter !== undefined) return;
  if (virtualenv !== undefined) {
    const python = join(resolve(release, virtualenv), "bin", "python");
    if (!isExecutable(python)) {
      throw problem(
        order.name,
        `the virtualenv has no "${python}"; create it with: python3 -m venv ${resolve(release, virtualenv)}`,
      );
    }
  } else if (findProgram("python3", release, path) === undefined) {
    throw problem(
      order.name,
      `there is no "python3" on PATH; install it with: apt-get install python3`,
    );
  }
}

function findProgram(program: string, folder: string, path: string): string | undefined {
  if (program.includes("/")) {
    const absolute = isAbsolute(program) ? program : resolve(folder, program);
    return isExecutable(absolute) ? absolute : undefined;
  }
  return path
    .split(delimiter)
    .filter((entry) => entry.startsWith("/"))
    .map((entry) => join(entry, program))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Absent, or hidden by rights: for the question asked here it is the same.
    return false;
  }
}

function problem(name: string, state: string, cause?: unknown): TsgiError {
  return new TsgiError("TSGI_SPAWN_FAILED", `Cannot start vassal "${name}": ${state}`, { cause });
}
