/** Which Python runs a vassal: the configured one, the virtual environment's, or python3 on the application's PATH. */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import type { VassalSpec } from "../../ipc/vassal-spec.ts";
import { StartFailure } from "../runtime.ts";

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The absolute path of the interpreter. Throws StartFailure that names what is missing and how to get it. */
export function findInterpreter(spec: VassalSpec): string {
  const { interpreter, virtualenv } = spec.config;
  if (interpreter !== undefined) {
    const found = interpreter.includes("/")
      ? executable(resolve(spec.release, interpreter))
      : onPath(interpreter, spec.env["PATH"]);
    return found ?? missing(`interpreter '${interpreter}'`, "correct the key 'interpreter'");
  }
  if (virtualenv !== undefined) {
    const path = join(resolve(spec.release, virtualenv), "bin", "python");
    return (
      executable(path) ??
      missing(`'${path}' of the virtualenv`, `make it with: python3 -m venv ${virtualenv}`)
    );
  }
  return (
    onPath("python3", spec.env["PATH"]) ??
    missing("'python3' on the PATH of the application", "install it with: apt-get install python3")
  );
}

function onPath(name: string, path: string | undefined): string | undefined {
  for (const folder of (path ?? DEFAULT_PATH).split(delimiter)) {
    const found = isAbsolute(folder) ? executable(join(folder, name)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function executable(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? path : undefined;
  } catch {
    return undefined;
  }
}

function missing(what: string, fix: string): never {
  throw new StartFailure(`Cannot start Python: ${what} is missing or not executable; ${fix}`);
}
