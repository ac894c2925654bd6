/** Environment variables: a mapping, a list of K=V, or a repeated `env = K=V`. */
import type { OptionType, ReadContext } from "../option.ts";
import { quoteValue } from "../problem.ts";
import type { RawValue } from "../raw-value.ts";
import { readScalar } from "./scalars.ts";

export type Environment = Readonly<Record<string, string>>;

/** Linux refuses a single argument or variable above 128 KiB (MAX_ARG_STRLEN). */
const MAX_VALUE_BYTES = 128 * 1024 - 1;
const MAX_VARIABLES = 1000;
const NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,254}$/;
const LABEL = "a mapping of names to values, or a list of NAME=value";

export const environment: OptionType<Environment> = {
  label: LABEL,
  word: "NAME=value",
  schema: {
    anyOf: [
      {
        type: "object",
        additionalProperties: { type: ["string", "number", "boolean"] },
        propertyNames: { pattern: NAME.source },
        maxProperties: MAX_VARIABLES,
      },
      { type: "array", items: { type: "string", pattern: "=" }, maxItems: MAX_VARIABLES },
      { type: "string", pattern: "=" },
    ],
  },
  read(value, context) {
    const pairs = value.kind === "map" ? pairsOfMap(value, context) : pairsOfList(value, context);
    if (pairs === undefined) return undefined;
    if (pairs.length > MAX_VARIABLES) {
      return context.fail(
        value,
        `${pairs.length} variables are given, at most ${MAX_VARIABLES} are allowed`,
        "move them to a file and name it in env-file",
      );
    }
    return fromPairs(pairs);
  },
  show: (value) =>
    `{${Object.entries(value)
      .map(([name, text]) => `${name}: ${JSON.stringify(text)}`)
      .join(", ")}}`,
  combine: (first, second) => fromPairs([...Object.entries(first), ...Object.entries(second)]),
};

type Pair = readonly [name: string, text: string];

/** Without a prototype, so that a variable called `__proto__` is nothing special. */
function fromPairs(pairs: readonly Pair[]): Environment {
  const variables: Record<string, string> = Object.create(null);
  for (const [name, text] of pairs) variables[name] = text;
  return variables;
}

function pairsOfMap(value: RawValue & { kind: "map" }, context: ReadContext): Pair[] | undefined {
  let good = true;
  const pairs: Pair[] = [];
  for (const entry of value.entries) {
    const scalar = readScalar(entry.value, context, `a value for ${quoteValue(entry.key)}`);
    const pair = scalar && pairOf(entry.key, scalar.text, entry.value, context);
    if (pair === undefined) good = false;
    else pairs.push(pair);
  }
  return good ? pairs : undefined;
}

function pairsOfList(value: RawValue, context: ReadContext): Pair[] | undefined {
  let good = true;
  const pairs: Pair[] = [];
  for (const item of value.kind === "list" ? value.items : [value]) {
    const scalar = readScalar(item, context, "NAME=value");
    const equals = scalar?.text.indexOf("=") ?? -1;
    if (scalar !== undefined && equals <= 0) {
      context.fail(item, "an item is not NAME=value", "write NAME=value");
    }
    const pair =
      scalar !== undefined && equals > 0
        ? pairOf(scalar.text.slice(0, equals).trim(), scalar.text.slice(equals + 1), item, context)
        : undefined;
    if (pair === undefined) good = false;
    else pairs.push(pair);
  }
  return good ? pairs : undefined;
}

function pairOf(
  name: string,
  text: string,
  value: RawValue,
  context: ReadContext,
): Pair | undefined {
  if (!NAME.test(name)) {
    return context.fail(
      value,
      `'${quoteValue(name)}' cannot name a variable`,
      "use letters, digits and _ and start with a letter or _",
    );
  }
  if (text.includes("\0")) {
    return context.fail(value, `the value of ${name} contains a NUL byte`, "remove it");
  }
  if (text.length > MAX_VALUE_BYTES) {
    return context.fail(
      value,
      `the value of ${name} has ${text.length} characters, at most ${MAX_VALUE_BYTES} are possible`,
      "put it into a file and name the file",
    );
  }
  return [name, text];
}
