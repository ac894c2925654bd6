/** A JSON log line as one line for people. Pure; nothing in it can forge a second line or steer a terminal. */
import { escapeText } from "../config/problem.ts";

/** For programs that read JSON; people have the time and the sentence. */
const MACHINE_FIELDS = new Set(["seq", "atMs", "kind"]);

/** `{"level":"info","time":"…","vassal":"blog","msg":"live"}` => `… info  blog: live` and the other fields. */
export function renderLogLine(json: string): string {
  const record = parseRecord(json);
  if (record === undefined) return `${escapeText(json.trimEnd())}\n`;
  const { level, time, msg, vassal, generation, ...rest } = record;
  const who = vassal === undefined ? "" : `${text(vassal)}${generationOf(generation)}: `;
  const fields = Object.entries(rest)
    .filter(([name]) => !MACHINE_FIELDS.has(name))
    .map(([name, value]) => `${name}=${text(value)}`);
  const tail = fields.length === 0 ? "" : ` (${fields.join(" ")})`;
  return `${escapeText(`${text(time)} ${text(level).padEnd(5)} ${who}${text(msg)}${tail}`)}\n`;
}

function parseRecord(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    // Not JSON: shown as it is.
    return undefined;
  }
}

function generationOf(value: unknown): string {
  return value === undefined ? "" : `#${text(value)}`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? "");
}
