/** `reload`, `restart`, `stop`, `start`, `pardon`: one call, and with --wait the result of it. */
import { EXIT } from "../../core/exit-codes.ts";
import type { CommandResult, CommandVerb } from "../../emperor/control.ts";
import { EmperorClient, nameQuery } from "../client.ts";
import { renderResults } from "../render/wait-text.ts";
import { wait } from "./wait.ts";
import type { WaitFlags } from "./wait.ts";

export async function command(
  verb: CommandVerb,
  names: readonly string[],
  flags: WaitFlags & { readonly wait?: boolean },
): Promise<number> {
  const client = new EmperorClient(flags.runtimeDir);
  const { results } = await client.json<{ readonly results: readonly CommandResult[] }>({
    method: "POST",
    path: `/${verb}`,
    query: nameQuery(names),
  });
  const done = results.every((result) => result.ok);
  const waits = done && flags.wait === true && verb !== "stop";
  // With --wait and --json the one document is that of `wait`.
  if (!waits || flags.json !== true) {
    const json = `${JSON.stringify({ results }, null, 2)}\n`;
    process.stdout.write(flags.json === true ? json : renderResults(results));
  }
  if (waits) {
    return wait(
      results.map((result) => result.name),
      flags,
    );
  }
  return done ? EXIT.done : EXIT.failed;
}
