/** Errors of the application as its log shows them. */
import { inspect } from "node:util";

/** Stack, cause and own properties of anything that was thrown. */
export function errorText(error: unknown): string {
  // A getter that throws must not hide the error it sits on.
  try {
    return error instanceof Error ? inspect(error, { depth: 3 }) : `Uncaught ${inspect(error)}`;
  } catch {
    return error instanceof Error ? (error.stack ?? error.message) : typeof error;
  }
}

/** To stderr, which the vassal process writes to the log line by line. */
export function reportError(error: unknown): void {
  process.stderr.write(`${errorText(error)}\n`);
}
