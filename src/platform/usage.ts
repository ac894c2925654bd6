/** CPU and memory of processes, through pidusage; processes that are gone are simply missing. */
import pidusage from "pidusage";

export interface ProcessUsage {
  /** Share of one core since the last sample: 1 = one core. */
  readonly cpu: number;
  readonly rssBytes: number;
}

/** The machine's figures, in the shape of the emperor's `Usage` port. */
export const systemUsage = { sample: sampleUsage };

/** Figures of those `pids` that run. Never rejects for a process that is gone. */
export async function sampleUsage(
  pids: readonly number[],
): Promise<ReadonlyMap<number, ProcessUsage>> {
  const figures = new Map<number, ProcessUsage>();
  if (pids.length === 0) return figures;
  for (const [pid, status] of Object.entries(await statusOf(pids))) {
    if (status !== null && status !== undefined) {
      figures.set(Number(pid), { cpu: status.cpu / 100, rssBytes: status.memory });
    }
  }
  return figures;
}

async function statusOf(pids: readonly number[]): ReturnType<typeof pidusage> {
  try {
    return await pidusage([...pids]);
  } catch {
    // With a single pid its end is an error; with several it is a missing entry.
    return {};
  }
}
