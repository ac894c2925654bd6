/** Text in columns of a bounded width. Pure. */
import { escapeText } from "../../config/problem.ts";

const GAP = 2;
const MIN_LAST = 12;

/** Lines of equal columns, two spaces apart; the last column takes what is left of `width`. The first row is the head. */
export function columns(
  rows: readonly (readonly string[])[],
  rightAligned: ReadonlySet<string>,
  width: number,
): readonly string[] {
  const head = rows[0] ?? [];
  const widths = head.map((_, index) => Math.max(...rows.map((row) => (row[index] ?? "").length)));
  const fixed = widths.slice(0, -1).reduce((sum, each) => sum + each + GAP, 0);
  const last = Math.max(MIN_LAST, width - fixed);
  return rows.map((row) => {
    const cells = row.map((cell, index) => {
      if (index === row.length - 1) return clip(cell, last);
      const room = widths[index] ?? 0;
      return rightAligned.has(head[index] ?? "") ? cell.padStart(room) : cell.padEnd(room);
    });
    return clip(cells.join(" ".repeat(GAP)).trimEnd(), width);
  });
}

/** At most `width` characters; what is cut ends in "…". */
export function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** Control characters as escapes, so that nothing shown can steer a terminal; tabs become spaces. */
export function escapeControls(text: string): string {
  return escapeText(text.replaceAll("\t", "    "));
}
