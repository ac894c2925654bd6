/** Starts one generation: files, descriptors and command line of a plan become a process. Used by the emperor and by `tsgi run`. */
import { createHash } from "node:crypto";
import {
  chownSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { VassalSpec } from "../ipc/vassal-spec.ts";
import type { Identity } from "./identity.ts";
import { findFacts } from "./facts.ts";
import { openLog } from "./log-file.ts";
import { planLaunch } from "./plan.ts";
import type { LaunchOrder } from "./plan.ts";

export interface LaunchRequest {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdio: readonly (number | "ignore")[];
}

export interface Launched<C> {
  readonly child: C;
  readonly spec: VassalSpec;
  /** Who it runs as, when that is not who this process is. */
  readonly identity?: Identity;
  /** Things that did not work but do not matter for serving, such as a log on a full disk. */
  readonly warnings: readonly string[];
  /** Removes the scratch folder; call it when every process of the generation is gone. */
  dispose(): void;
}

/** Throws TsgiError with the fix in words; nothing is left behind then. */
export async function launchVassal<C>(
  order: LaunchOrder,
  spawn: (request: LaunchRequest) => Promise<C>,
): Promise<Launched<C>> {
  const found = findFacts(order);
  const log = openLog(order.name, found.logFile, order.config.log !== undefined);
  const cleanups: (() => void)[] = log.borrowed === true ? [] : [() => closeSync(log.fd)];
  const scratch = scratchPath(order);
  const dispose = (): void => rmSync(scratch, { recursive: true, force: true });
  try {
    makeScratch(scratch, found.identity);
    const plan = planLaunch(order, { ...found, scratch });
    const specFd = openSpec(`${scratch}.spec`, plan.spec);
    cleanups.push(() => closeSync(specFd));
    const listenFds = order.listeners.map((listener) => listener.fd);
    const stdio = ["ignore" as const, log.fd, log.fd, specFd, ...listenFds];
    const child = await spawn({ argv: plan.argv, cwd: plan.cwd, env: plan.env, stdio });
    return {
      child,
      spec: plan.spec,
      ...(found.identity && { identity: found.identity }),
      warnings: log.warning === undefined ? [] : [log.warning],
      dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  } finally {
    // The child has its own copies by now.
    for (const cleanup of cleanups) cleanup();
  }
}

/** Eight hex digits instead of the name: a unix socket path has 107 bytes for everything. */
export function scratchPath(
  order: Pick<LaunchOrder, "runtimeDir" | "name" | "generation">,
): string {
  const hash = createHash("sha256").update(`${order.name} ${order.generation}`).digest("hex");
  return join(order.runtimeDir, "s", hash.slice(0, 8));
}

function makeScratch(
  scratch: string,
  identity: { readonly uid: number; readonly gid: number } | undefined,
): void {
  mkdirSync(join(scratch, ".."), { recursive: true, mode: 0o711 });
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { mode: 0o700 });
  if (identity !== undefined) chownSync(scratch, identity.uid, identity.gid);
}

/** The spec lives in a file without a name: written, opened for reading, unlinked. */
function openSpec(path: string, spec: VassalSpec): number {
  rmSync(path, { force: true });
  writeFileSync(path, JSON.stringify(spec), { mode: 0o600, flag: "wx" });
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } finally {
    unlinkSync(path);
  }
}
