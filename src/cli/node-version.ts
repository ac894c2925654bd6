/** Makes sure that a new enough Node runs us: hands over to the one installed beside the project, or says what to do. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** `engines` of package.json, kept equal by a test: below it lie security fixes that we rely on. */
export const MINIMUM_NODE = "24.14.1";
/** Set for the second attempt, so that a wrong `node` package cannot make a loop. */
const HANDED_OVER = "TSGI_NODE_HANDED_OVER";
const USAGE_EXIT = 2;

/**
 * Returns when this Node is new enough. Otherwise the program is run by the `node` package of the installation and this
 * process ends as that one does; without it, ends with exit code 2. Runs on old releases: nothing recent in here.
 */
export async function ensureNode(program: string, entry: string): Promise<void> {
  const present = process.versions.node;
  if (!isOlder(present, MINIMUM_NODE)) return;
  const other = process.env[HANDED_OVER] === undefined ? installedNode(entry) : undefined;
  if (other === undefined) {
    process.stderr.write(
      `${program}: Cannot run on Node ${present}: ${MINIMUM_NODE} or newer is needed\n` +
        `Install it beside the program with 'npm install node@26', or from nodejs.org\n`,
    );
    process.exit(USAGE_EXIT);
  }
  await handOver(other, entry);
}

/** Compares "24.9.0" and "24.14.1" number by number. */
export function isOlder(version: string, minimum: string): boolean {
  const have = version.split(".").map(Number);
  const want = minimum.split(".").map(Number);
  for (const [index, number] of want.entries()) {
    const difference = (have[index] ?? 0) - number;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function installedNode(entry: string): string | undefined {
  try {
    const manifest = createRequire(entry).resolve("node/package.json");
    const binary = join(dirname(manifest), "bin", "node");
    return existsSync(binary) ? binary : undefined;
  } catch {
    // The package is not installed.
    return undefined;
  }
}

/** Becomes the other Node where this release can, so that pid and service manager see one process. */
async function handOver(binary: string, entry: string): Promise<never> {
  const env = { ...process.env, [HANDED_OVER]: "1" };
  const parameters = [entry, ...process.argv.slice(2)];
  if (typeof process.execve === "function") {
    process.removeAllListeners("warning");
    process.on("warning", () => undefined);
    process.execve(binary, [binary, ...parameters], env);
  }
  const child = spawn(binary, parameters, { stdio: "inherit", env });
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"] as const) {
    process.on(signal, () => {
      // ^C in a terminal reaches the child by itself.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  const code = await new Promise<number>((resolve) => {
    child.on("error", () => {
      resolve(USAGE_EXIT);
    });
    child.on("exit", (exitCode) => {
      resolve(exitCode ?? 1);
    });
  });
  return process.exit(code);
}
