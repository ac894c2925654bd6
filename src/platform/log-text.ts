/** A JSON log line as one line for people. Pure; nothing in it can forge a second line or steer a terminal. */

/** `{"level":"info","time":"…","vassal":"blog","msg":"live"}` => `… info  blog: live` and the other fields. */
export function renderLogLine(json: string): string {
  const record = parseRecord(json);
  if (record === undefined) return `${printable(json.trimEnd())}\n`;
  const { level, time, msg, vassal, generation, ...rest } = record;
  const who = vassal === undefined ? "" : `${text(vassal)}${generationOf(generation)}: `;
  const fields = Object.entries(rest).map(([name, value]) => `${name}=${text(value)}`);
  const tail = fields.length === 0 ? "" : ` (${fields.join(" ")})`;
  return `${printable(`${text(time)} ${text(level).padEnd(5)} ${who}${text(msg)}${tail}`)}\n`;
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

/** Control characters written as escapes: "\n" => "\\n", ESC => "\\x1b". */
export function printable(line: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  return line.replaceAll(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]/g, (char) => {
    const code = char.charCodeAt(0);
    if (char === "\n") return "\\n";
    return code > 0xff ? `\\u${code.toString(16)}` : `\\x${code.toString(16).padStart(2, "0")}`;
  });
}
