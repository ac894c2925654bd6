/** Runs a command line to its exit code: errors become one line and a fix on standard error. */
import { TsgiError, messageOf, systemCode } from "../core/errors.ts";
import { EXIT } from "../core/exit-codes.ts";

export interface Program {
  /** Resolves with the exit code; throws what went wrong. */
  run(parameters: readonly string[]): Promise<number>;
}

/** Sets `process.exitCode`; output that is still on its way is not cut off. */
export async function runProgram(name: string, create: (name: string) => Program): Promise<void> {
  surviveClosedOutput();
  try {
    process.exitCode = await create(name).run(process.argv.slice(2));
  } catch (error) {
    process.exitCode = error instanceof TsgiError ? error.exit : EXIT.failed;
    process.stderr.write(errorText(name, error));
  }
}

/** `tsgi-emperor: Cannot …` and the fix on a line of its own; for a mistake of ours the stack. */
export function errorText(name: string, error: unknown): string {
  if (error instanceof TsgiError) return `${name}: ${error.message}\n${error.help}\n`;
  const details =
    error instanceof Error && systemCode(error) === undefined ? error.stack : undefined;
  return `${name}: ${details ?? messageOf(error)}\n`;
}

/** `status | head -1` closes our output early, and a terminal may go away: no reason to fail. */
function surviveClosedOutput(): void {
  const ignore = (error: unknown): void => {
    const code = systemCode(error);
    if (code !== "EPIPE" && code !== "EIO") throw error;
  };
  process.stdout.on("error", ignore);
  process.stderr.on("error", ignore);
}
