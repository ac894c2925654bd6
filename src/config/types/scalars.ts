/** Option types with one plain value: text, whole numbers, yes or no, a choice. */
import type { OptionType, ReadContext } from "../option.ts";
import { quoteValue } from "../problem.ts";
import type { RawScalar, RawValue } from "../raw-value.ts";
import { rawText } from "../raw-value.ts";

/** The scalar behind a value, or undefined after an error that names what was expected. */
export function readScalar(
  value: RawValue,
  context: ReadContext,
  expected: string,
): RawScalar | undefined {
  if (value.kind !== "scalar") {
    return context.fail(value, `expected ${expected}, found ${rawText(value)}`, "write one value");
  }
  if (value.type === "null") {
    return context.fail(value, "the key has no value", `write ${expected}, or remove the line`);
  }
  return value;
}

/** Text that is not empty and has no NUL; at most `maxLength` characters. */
export function text(options: {
  readonly label: string;
  readonly word?: string;
  readonly maxLength?: number;
  readonly pattern?: RegExp;
  readonly patternFix?: string;
}): OptionType<string> {
  const maxLength = options.maxLength ?? 4096;
  return {
    label: options.label,
    word: options.word ?? "text",
    schema: { type: "string", minLength: 1, maxLength },
    read(value, context) {
      const scalar = readScalar(value, context, options.label);
      if (scalar === undefined) return undefined;
      const problem = textProblem(scalar.text, maxLength);
      if (problem !== undefined) return context.fail(value, problem, `write ${options.label}`);
      if (options.pattern !== undefined && !options.pattern.test(scalar.text)) {
        return context.fail(
          value,
          `'${quoteValue(scalar.text)}' is not ${options.label}`,
          options.patternFix ?? `write ${options.label}`,
        );
      }
      return scalar.text;
    },
    show: (value) => value,
  };
}

/** Why `value` can be no text of an option, or undefined when it can. */
export function textProblem(value: string, maxLength: number): string | undefined {
  if (value.length > maxLength) {
    return `the value has ${value.length} characters, at most ${maxLength} are allowed`;
  }
  if (value.trim() === "") return "the value is empty";
  return value.includes("\0") ? "the value contains a NUL byte" : undefined;
}

/** A whole number in decimal digits. */
export function integer(range: { readonly min: number; readonly max: number }): OptionType<number> {
  const label = `a whole number from ${range.min} to ${range.max}`;
  return {
    label,
    word: "number",
    schema: { type: "integer", minimum: range.min, maximum: range.max },
    read(value, context) {
      const scalar = readScalar(value, context, label);
      if (scalar === undefined) return undefined;
      const number = parseInteger(scalar.text);
      if (number === undefined || number < range.min || number > range.max) {
        return context.fail(
          value,
          `'${quoteValue(scalar.text)}' is not ${label}`,
          `write a number from ${range.min} to ${range.max}`,
        );
      }
      return number;
    },
    show: (value) => String(value),
  };
}

/** The value of decimal digits, or undefined; "0x10", "1e3", "4.0" and ".nan" are not whole numbers here. */
export function parseInteger(digits: string): number | undefined {
  const trimmed = digits.length <= 32 ? digits.trim() : "";
  return /^\d{1,15}$/.test(trimmed) ? Number(trimmed) : undefined;
}

const WORDS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["yes", true],
  ["on", true],
  ["1", true],
  ["false", false],
  ["no", false],
  ["off", false],
  ["0", false],
]);

/** Yes or no. `inverted` reads the opposite, for aliases such as lazy-apps. */
export function boolean(options: { readonly inverted?: boolean } = {}): OptionType<boolean> {
  return {
    label: "true or false",
    word: "true|false",
    schema: { type: "boolean" },
    read(value, context) {
      const scalar = readScalar(value, context, "true or false");
      if (scalar === undefined) return undefined;
      const known =
        scalar.text.length <= 8 ? WORDS.get(scalar.text.trim().toLowerCase()) : undefined;
      if (known === undefined) {
        return context.fail(
          value,
          `'${quoteValue(scalar.text)}' is neither true nor false`,
          "write true or false",
        );
      }
      return known !== (options.inverted ?? false);
    },
    show: (value) => String(value),
  };
}

/** One of a few words. */
export function choice<const T extends string>(words: readonly T[]): OptionType<T> {
  const label = `one of ${words.join(", ")}`;
  return {
    label,
    word: words.join("|"),
    schema: { enum: words },
    read(value, context) {
      const scalar = readScalar(value, context, label);
      if (scalar === undefined) return undefined;
      const found = words.find((word) => word === scalar.text);
      return (
        found ??
        context.fail(value, `'${quoteValue(scalar.text)}' is not ${label}`, `write ${label}`)
      );
    },
    show: (value) => value,
  };
}
