/** Lines of several logs in order of time. Pure. */

/** `2026-11-22T15:00:00.123Z …`: as text, these sort by time. */
const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /;

/**
 * Merges by time stamp; lines without one (what a dying interpreter wrote by itself) stay behind the line before them.
 *
 * @example mergeLogs([["…00.1Z a", "  trace"], ["…00.2Z b"]]) => ["…00.1Z a", "  trace", "…00.2Z b"]
 */
export function mergeLogs(logs: readonly (readonly string[])[]): readonly string[] {
  const stamped = logs.flatMap((lines) => {
    let stamp = "";
    return lines.map((line) => {
      stamp = STAMP.exec(line)?.[0] ?? stamp;
      return { stamp, line };
    });
  });
  // The sort is stable: equal stamps keep the order of their file.
  stamped.sort((a, b) => Number(a.stamp > b.stamp) - Number(a.stamp < b.stamp));
  return stamped.map(({ line }) => line);
}
