/** `events`: the newest entries of the journal, and with -f what happens from now on. */
import { TsgiError } from "../../core/errors.ts";
import { EXIT } from "../../core/exit-codes.ts";
import type { JournalEvent } from "../../stats/emperor-snapshot.ts";
import { EmperorClient } from "../client.ts";
import { renderEvent } from "../render/event-line.ts";

export interface EventsFlags {
  readonly runtimeDir?: string;
  readonly json?: boolean;
  readonly follow?: boolean;
  readonly lines: number;
}

export async function events(flags: EventsFlags): Promise<number> {
  const response = await new EmperorClient(flags.runtimeDir).open({
    method: "GET",
    path: "/events",
    query: [
      ["n", String(flags.lines)],
      ...(flags.follow === true ? [["follow", "1"] as const] : []),
    ],
  });
  if (response.statusCode !== 200) {
    throw new TsgiError(
      "TSGI_USAGE",
      `Cannot read events: HTTP status ${response.statusCode ?? 0}`,
    );
  }
  response.setEncoding("utf8");
  let rest = "";
  for await (const chunk of response) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    const text = lines.map((line) => (flags.json === true ? `${line}\n` : readable(line))).join("");
    // Nobody reads any more: `events -f | head -1`.
    if (!process.stdout.writable) break;
    process.stdout.write(text);
  }
  return EXIT.done;
}

function readable(line: string): string {
  // One document of our own emperor a line.
  return renderEvent(JSON.parse(line) as Partial<JournalEvent>);
}
