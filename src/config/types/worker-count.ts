/** How many workers: one number, or a mapping or text with the least and the most ("1-8"). */
import type { OptionType, ReadContext } from "../option.ts";
import { quoteValue } from "../problem.ts";
import type { RawMap, RawValue } from "../raw-value.ts";
import { integer, parseInteger, readScalar } from "./scalars.ts";

export interface WorkerCount {
  readonly min: number;
  readonly max: number;
}

const MOST = 1024;
const LABEL = `a number from 1 to ${MOST}, or { min: 1, max: 8 }`;
const count = integer({ min: 1, max: MOST });

export const workerCount: OptionType<WorkerCount> = {
  label: LABEL,
  word: "number",
  schema: {
    anyOf: [
      count.schema,
      { type: "string", pattern: "^[0-9]{1,4}(-[0-9]{1,4})?$" },
      {
        type: "object",
        properties: { min: count.schema, max: count.schema },
        required: ["max"],
        additionalProperties: false,
      },
    ],
  },
  read(value, context) {
    if (value.kind === "map") return readMap(value, context);
    const scalar = readScalar(value, context, LABEL);
    if (scalar === undefined) return undefined;
    const range = scalar.text.length <= 16 ? /^(\d+)\s*-\s*(\d+)$/.exec(scalar.text.trim()) : null;
    const min = parseInteger(range?.[1] ?? scalar.text);
    const max = parseInteger(range?.[2] ?? scalar.text);
    if (min === undefined || max === undefined || min < 1 || max > MOST || min > max) {
      return context.fail(value, `'${quoteValue(scalar.text)}' is not ${LABEL}`, `write ${LABEL}`);
    }
    return counted({ min, max }, value, context);
  },
  show: ({ min, max }) => (min === max ? String(max) : `${min}-${max}`),
};

function readMap(value: RawMap, context: ReadContext): WorkerCount | undefined {
  let min: number | undefined = 1;
  let max: number | undefined;
  let good = true;
  for (const entry of value.entries) {
    const read =
      entry.key === "min" || entry.key === "max"
        ? count.read(entry.value, context)
        : context.fail(
            entry.value,
            `unknown key '${quoteValue(entry.key)}' inside workers`,
            "write { min: 1, max: 8 }",
          );
    if (read === undefined) good = false;
    if (entry.key === "min") min = read;
    else max = read;
  }
  if (!good || min === undefined) return undefined;
  if (max === undefined) return context.fail(value, "'max' is missing", "write { min: 1, max: 8 }");
  if (min > max) {
    return context.fail(value, `min ${min} is above max ${max}`, "write { min: 1, max: 8 }");
  }
  return counted({ min, max }, value, context);
}

/** The number does not follow the load yet, and nobody should have to find that out by measuring. */
function counted(read: WorkerCount, value: RawValue, context: ReadContext): WorkerCount {
  if (read.min < read.max) {
    context.warn(
      value,
      `the number does not follow the load in this release: ${read.max} workers run`,
      `write ${read.max}, or leave it for a later release`,
    );
  }
  return read;
}
