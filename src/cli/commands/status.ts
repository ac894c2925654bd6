/** `status`: the fleet as a table or as one JSON document. */
import { EXIT } from "../../core/exit-codes.ts";
import type { EmperorSnapshot } from "../../stats/emperor-snapshot.ts";
import { EmperorClient, nameQuery } from "../client.ts";
import { renderStatus } from "../render/status-table.ts";
import { styleFor } from "../render/style.ts";

export interface StatusFlags {
  readonly runtimeDir?: string;
  readonly json?: boolean;
  readonly watch?: boolean;
}

const EVERY_MS = 1000;
const CLEAR_SCREEN = "\u001b[H\u001b[2J";

export async function status(names: readonly string[], flags: StatusFlags): Promise<number> {
  const client = new EmperorClient(flags.runtimeDir);
  const style = styleFor(process.stdout, process.env);
  for (;;) {
    const snapshot = await client.json<EmperorSnapshot>({
      method: "GET",
      path: "/status",
      query: nameQuery(names),
    });
    const clear = flags.watch === true && process.stdout.isTTY ? CLEAR_SCREEN : "";
    const text =
      flags.json === true
        ? `${JSON.stringify(snapshot, null, flags.watch === true ? 0 : 2)}\n`
        : renderStatus(snapshot, { style, details: names.length > 0 });
    process.stdout.write(clear + text);
    if (flags.watch !== true || !process.stdout.writable) return EXIT.done;
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
