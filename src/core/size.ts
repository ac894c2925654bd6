/** Sizes with units, as people write them: "64K", "512M", "2G" (powers of 1024). */

const UNIT_BYTES: Readonly<Record<string, number>> = {
  "": 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
};

/**
 * Bytes of a size text, or undefined when it is not one. A bare number counts bytes, or `bareUnit`
 * where a uWSGI option means megabytes.
 *
 * @example parseSizeBytes("64K") => 65536
 */
export function parseSizeBytes(text: string, bareUnit: "" | "m" = ""): number | undefined {
  const match = /^(\d{1,15})(?:([kmgt])(?:i?b)?|b)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const unit = match[2]?.toLowerCase() ?? bareUnit;
  const factor = UNIT_BYTES[unit];
  const bytes = factor === undefined ? Number.NaN : Number(match[1]) * factor;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A size for people, at most one decimal: 1536 => "1.5K". */
export function formatSize(bytes: number): string {
  for (const unit of ["t", "g", "m", "k"]) {
    const factor = UNIT_BYTES[unit] ?? 1;
    if (bytes >= factor) {
      return `${(bytes / factor).toFixed(1).replace(/\.0$/, "")}${unit.toUpperCase()}`;
    }
  }
  return `${bytes}`;
}
