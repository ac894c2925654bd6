/** Results of `wait` and of the commands for people. Pure. */
import type { CommandResult, WaitResult } from "../../emperor/control.ts";
import { escapeControls } from "./columns.ts";
import { warningLines } from "./warning-line.ts";

/** The answer of `/wait`. */
export interface WaitAnswer {
  readonly outcome: "live" | "failed" | "timed-out";
  readonly results: readonly WaitResult[];
  readonly pending: readonly string[];
}

export function renderWait(answer: WaitAnswer, timeoutText: string): string {
  const told = answer.results.flatMap(({ name, ok, message, lastLines, warnings }) => [
    `${name}: ${message}`,
    ...warningLines(warnings).map((line) => `${name}: ${line}`),
    ...(ok ? [] : lastLines.filter((line) => line !== message).map((line) => `  | ${line}`)),
  ]);
  const open = answer.pending.map((name) => `${name}: no result within ${timeoutText}`);
  return [...told, ...open].map((line) => `${escapeControls(line)}\n`).join("");
}

export function renderResults(results: readonly CommandResult[]): string {
  return results.map(({ name, message }) => `${escapeControls(`${name}: ${message}`)}\n`).join("");
}
