/** Option types with a unit: durations and sizes. A bare number counts only where uWSGI's name was used. */
import { formatDuration, parseDurationMs } from "../../core/duration.ts";
import { formatSize, parseSizeBytes } from "../../core/size.ts";
import type { OptionType } from "../option.ts";
import { quoteValue } from "../problem.ts";
import { parseInteger, readScalar } from "./scalars.ts";

// A year and some: longer waits are a slip of the unit, and far below what timers and JSON can hold.
const MAX_DURATION_MS = 400 * 86_400_000;

/** Milliseconds. `bare` is the unit of a number without one; without `bare` only 0 may lack it. */
export function duration(
  options: {
    readonly min?: number;
    readonly bare?: "s";
  } = {},
): OptionType<number> {
  const min = options.min ?? 0;
  const example = min === 0 ? "30s, 500ms, 10m, 1h or 0" : "30s, 500ms, 10m or 1h";
  return {
    label: `a duration such as ${example}`,
    word: "duration",
    schema:
      min === 0
        ? { anyOf: [{ type: "string", pattern: DURATION_PATTERN }, { const: 0 }] }
        : { type: "string", pattern: DURATION_PATTERN },
    read(value, context) {
      const scalar = readScalar(value, context, `a duration such as ${example}`);
      if (scalar === undefined) return undefined;
      const source = scalar.text.length <= 64 ? scalar.text.trim() : "";
      const durationMs = source === "0" ? 0 : parseDurationMs(source, options.bare);
      if (durationMs === undefined) {
        const unitMissing = parseInteger(source) !== undefined;
        return context.fail(
          value,
          `'${quoteValue(scalar.text)}' is not a duration`,
          unitMissing ? `write the unit: ${source}s or ${source}m` : `write one such as ${example}`,
        );
      }
      if (durationMs < min || durationMs > MAX_DURATION_MS) {
        return context.fail(
          value,
          `the duration '${quoteValue(scalar.text)}' is outside ${formatDuration(min)} to 400d`,
          `write one such as ${example}`,
        );
      }
      return durationMs;
    },
    show: (value) => (value === 0 ? "0" : formatDuration(value)),
  };
}

/** Bytes. `bare` "m" counts megabytes without a unit (uWSGI), "" counts bytes; without it only 0 may lack a unit. */
export function size(options: {
  readonly min?: number;
  readonly max?: number;
  readonly bare?: "" | "m";
}): OptionType<number> {
  const min = options.min ?? 0;
  const max = options.max ?? 2 ** 50;
  const example = min === 0 ? "64K, 512M, 2G or 0" : "64K, 512M or 2G";
  return {
    label: `a size such as ${example}`,
    word: "size",
    schema:
      min === 0
        ? { anyOf: [{ type: "string", pattern: SIZE_PATTERN }, { const: 0 }] }
        : { type: "string", pattern: SIZE_PATTERN },
    read(value, context) {
      const scalar = readScalar(value, context, `a size such as ${example}`);
      if (scalar === undefined) return undefined;
      const source = scalar.text.length <= 64 ? scalar.text.trim() : "";
      const plain = parseInteger(source);
      const bytes =
        plain !== undefined && options.bare === undefined && plain !== 0
          ? undefined
          : parseSizeBytes(source, options.bare ?? "");
      if (bytes === undefined) {
        return context.fail(
          value,
          `'${quoteValue(scalar.text)}' is not a size`,
          plain === undefined
            ? `write one such as ${example}`
            : `write the unit: ${plain}K or ${plain}M, or ${plain}B for bytes`,
        );
      }
      if (bytes < min || bytes > max) {
        return context.fail(
          value,
          `the size '${quoteValue(scalar.text)}' is outside ${formatSize(min)} to ${formatSize(max)}`,
          `write one such as ${example}`,
        );
      }
      return bytes;
    },
    show: showSize,
  };
}

/** The shortest exact text of a size: 1536 => "1536B", 65536 => "64K". */
function showSize(bytes: number): string {
  if (bytes === 0) return "0";
  for (const [unit, factor] of UNITS) {
    if (bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return `${bytes}B`;
}

const UNITS = [
  ["T", 1024 ** 4],
  ["G", 1024 ** 3],
  ["M", 1024 ** 2],
  ["K", 1024],
] as const;

const DURATION_PATTERN = String.raw`^[0-9]{1,12}([.][0-9]{1,6})?(ms|s|m|h|d)$`;
const SIZE_PATTERN = "^[0-9]{1,15}([KMGTkmgt]([Ii]?[Bb])?|[Bb])$";
