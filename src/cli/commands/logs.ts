/** `logs`: the last lines of the vassals' log files, and with -f everything that comes, across generations. */
import { watch } from "node:fs";
import type { FSWatcher } from "node:fs";
import { dirname } from "node:path";
import { messageOf } from "../../core/errors.ts";
import { EXIT } from "../../core/exit-codes.ts";
import type { EmperorSnapshot } from "../../stats/emperor-snapshot.ts";
import { EmperorClient, nameQuery } from "../client.ts";
import { mergeLogs } from "../log-merge.ts";
import { LogTail } from "../log-tail.ts";
import { escapeControls } from "../render/columns.ts";

export interface LogsFlags {
  readonly runtimeDir?: string;
  readonly follow?: boolean;
  readonly lines: number;
}

/** New vassals and new log paths are looked for this often; also catches what no notification told. */
const REFRESH_MS = 2000;
const GATHER_MS = 20;
/** Lines without a stamp get their time from one before them: read so many more. */
const CONTEXT_LINES = 200;
/** A log that appears while following is shown from its beginning, within reason. */
const NEW_LOG_LINES = 10_000;

export async function logs(names: readonly string[], flags: LogsFlags): Promise<number> {
  const client = new EmperorClient(flags.runtimeDir);
  const tails = new Map<string, LogTail>();
  const files = await logFiles(client, names);
  const first = files.map((file) => addTail(tails, file, flags.lines + CONTEXT_LINES));
  print(flags.lines === 0 ? [] : mergeLogs(first).slice(-flags.lines));
  if (flags.follow === true) await follow(client, names, tails);
  for (const tail of tails.values()) tail.close();
  return tails.size === 0 && files.length > 0 ? EXIT.failed : EXIT.done;
}

async function logFiles(
  client: EmperorClient,
  names: readonly string[],
): Promise<readonly string[]> {
  const { vassals } = await client.json<EmperorSnapshot>({
    method: "GET",
    path: "/status",
    query: nameQuery(names),
  });
  return [...new Set(vassals.map((vassal) => vassal.logFile).filter((file) => file !== ""))];
}

/** Begins to follow a file, with its last lines; one that may not be read costs the others nothing. */
function addTail(tails: Map<string, LogTail>, file: string, count: number): readonly string[] {
  const tail = new LogTail(file);
  try {
    const lines = tail.lastLines(count);
    tails.set(file, tail);
    return lines;
  } catch (error) {
    process.stderr.write(`tsgi-emperor: Cannot read log "${file}": ${messageOf(error)}\n`);
    return [];
  }
}

/** Until nobody reads our output any more, or ^C. */
async function follow(
  client: EmperorClient,
  names: readonly string[],
  tails: Map<string, LogTail>,
): Promise<void> {
  const folders = new Map<string, FSWatcher>();
  let changed = Promise.withResolvers<void>();
  const notify = (): void => {
    changed.resolve();
  };
  process.stdout.on("error", notify);
  let refreshedAtMs = performance.now();
  while (process.stdout.writable) {
    for (const path of tails.keys()) watchFolder(folders, dirname(path), notify);
    const timer = setTimeout(notify, REFRESH_MS);
    await changed.promise;
    clearTimeout(timer);
    // Lines of several vassals that come together are put in order.
    await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
    changed = Promise.withResolvers<void>();
    const fresh: (readonly string[])[] = [];
    if (performance.now() - refreshedAtMs >= REFRESH_MS) {
      // An emperor that is away for an upgrade is no reason to stop: its vassals write on.
      const files = await logFiles(client, names).catch((): readonly string[] => []);
      const added = files.filter((file) => !tails.has(file));
      fresh.push(...added.map((file) => addTail(tails, file, NEW_LOG_LINES)));
      refreshedAtMs = performance.now();
    }
    const grown = [...tails.values()].map((tail) => tail.newLines());
    print(mergeLogs([...grown, ...fresh]));
  }
  for (const watcher of folders.values()) watcher.close();
}

function watchFolder(folders: Map<string, FSWatcher>, folder: string, notify: () => void): void {
  if (folders.has(folder)) return;
  try {
    const watcher = watch(folder, notify);
    // The timer still looks.
    watcher.on("error", () => undefined);
    folders.set(folder, watcher);
  } catch {
    // No folder yet, or no inotify watch left: the timer looks.
  }
}

function print(lines: readonly string[]): void {
  if (lines.length > 0) {
    process.stdout.write(lines.map((line) => `${escapeControls(line)}\n`).join(""));
  }
}
