/** The last lines of a piece of log, for people. Pure. */

const LINES_MAX = 40;
const LINE_MAX = 500;

/** A first line that was cut off is left out when there are others. */
export function outputLines(text: string): readonly string[] {
  const lines = text.split("\n").map((line) => line.trimEnd());
  while (lines.at(-1) === "") lines.pop();
  return lines.slice(-LINES_MAX).map((line) => line.slice(0, LINE_MAX));
}
