/** `wait`: blocks until the result of the vassal files as they are on disk is known. */
import { formatDuration } from "../../core/duration.ts";
import { EXIT } from "../../core/exit-codes.ts";
import { EmperorClient, nameQuery } from "../client.ts";
import { renderWait } from "../render/wait-text.ts";
import type { WaitAnswer } from "../render/wait-text.ts";

export interface WaitFlags {
  readonly runtimeDir?: string;
  readonly json?: boolean;
  /** Milliseconds. */
  readonly timeout: number;
}

const EXIT_OF = { live: EXIT.done, failed: EXIT.failed, "timed-out": EXIT.timedOut } as const;

export async function wait(names: readonly string[], flags: WaitFlags): Promise<number> {
  const client = new EmperorClient(flags.runtimeDir);
  const answer = await client.json<WaitAnswer>({
    method: "GET",
    path: "/wait",
    query: [...nameQuery(names), ["timeout", `${flags.timeout}ms`]],
  });
  const text =
    flags.json === true
      ? `${JSON.stringify(answer, null, 2)}\n`
      : renderWait(answer, formatDuration(flags.timeout));
  process.stdout.write(text);
  return EXIT_OF[answer.outcome];
}
