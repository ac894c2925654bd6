/** `tsgi run FILE`: one vassal without an emperor, in the foreground; the same launch, the same runtime. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { VassalConfig } from "../../config/vassal-config.ts";
import { launchVassal } from "../../launch/launch.ts";
import type { LaunchPrograms } from "../../launch/plan.ts";
import { STANDARD_OUTPUT } from "../../launch/log-file.ts";
import { startProcess } from "../../platform/processes.ts";
import { systemSockets } from "../../platform/sockets.ts";

export interface VassalToRun {
  readonly name: string;
  readonly config: VassalConfig;
  /** Absolute: relative paths in the configuration start from its folder. */
  readonly file: string;
}

/** The programs of this installation, beside the bundled command line. */
export function installedPrograms(): LaunchPrograms {
  const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  return {
    node: process.execPath,
    vassal: path("vassal.cjs"),
    nodeWorker: path("node-worker.cjs"),
    pythonBridge: path("bridges/tsgi_bridge.py"),
  };
}

/**
 * Serves until SIGTERM or SIGINT, which drain; a second one kills. Resolves with the exit code of the vassal process.
 * Throws TsgiError when it cannot be started.
 */
export async function runVassal({ name, config, file }: VassalToRun): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "tsgi-"));
  const sockets = config.listen.map((address) => ({
    address,
    socket: systemSockets.listen(address),
  }));
  try {
    const launched = await launchVassal(
      {
        name,
        generation: 1,
        config,
        file,
        listeners: sockets.map(({ address, socket }) => ({ fd: socket.fd, address })),
        defaultLogFile: STANDARD_OUTPUT,
        runtimeDir: folder,
        programs: installedPrograms(),
        env: process.env,
      },
      startProcess,
    );
    for (const warning of launched.warnings) console.error(warning);
    const { child } = launched;
    let asked = false;
    const leave = (): void => {
      if (asked) child.killGroup("SIGKILL");
      else child.kill("SIGTERM");
      asked = true;
    };
    process.on("SIGTERM", leave);
    process.on("SIGINT", leave);
    const exit = await child.exited;
    child.killGroup("SIGKILL");
    launched.dispose();
    return exit.code ?? 1;
  } finally {
    for (const { socket } of sockets) socket.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
