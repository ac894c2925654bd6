/** Durations with units, as people write them: "500ms", "30s", "10m", "1h", "2d". */

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Milliseconds of a duration text, or undefined when it is not one. A bare number needs `bareUnit`
 * (uWSGI's options count seconds).
 *
 * @example parseDurationMs("1.5s") => 1500
 */
export function parseDurationMs(text: string, bareUnit?: "ms" | "s"): number | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)?$/.exec(text.trim());
  if (match === null) return undefined;
  const unit = match[2] ?? bareUnit;
  const factor = unit === undefined ? undefined : UNIT_MS[unit];
  return factor === undefined ? undefined : Math.round(Number(match[1]) * factor);
}

/** The shortest exact text of a duration: 90000 => "90s", 120000 => "2m". */
export function formatDuration(durationMs: number): string {
  for (const unit of ["d", "h", "m", "s"]) {
    const factor = UNIT_MS[unit] ?? 1;
    if (durationMs >= factor && durationMs % factor === 0) return `${durationMs / factor}${unit}`;
  }
  return `${durationMs}ms`;
}
