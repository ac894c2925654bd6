/** The warnings about a vassal file in one line. Pure. */

/** `1 warning: blog.yaml:3:1: …`; the others are told by `check`. Nothing when there is none. */
export function warningLines(warnings: readonly string[]): readonly string[] {
  const [first] = warnings;
  if (first === undefined) return [];
  if (warnings.length === 1) return [`1 warning: ${first}`];
  return [`${warnings.length} warnings: ${first} (all of them: 'tsgi-emperor check')`];
}
