/** A configuration as it was written, before any option is looked up: what every format reader returns. */
import type { Place } from "./problem.ts";

/** `text` is the source text of numbers and booleans ("0x10" stays "0x10"), the decoded text of strings. */
export interface RawScalar {
  readonly kind: "scalar";
  readonly type: "string" | "number" | "boolean" | "null";
  readonly text: string;
  readonly at: Place;
}

export interface RawList {
  readonly kind: "list";
  readonly items: readonly RawValue[];
  readonly at: Place;
}

export interface RawMap {
  readonly kind: "map";
  readonly entries: readonly RawEntry[];
  readonly at: Place;
}

export type RawValue = RawScalar | RawList | RawMap;

/** A key with its value; `at` is the place of the key. */
export interface RawEntry {
  readonly key: string;
  readonly at: Place;
  readonly value: RawValue;
}

/** How a value is shown in a message. */
export function rawText(value: RawValue): string {
  if (value.kind === "scalar") return value.text;
  return value.kind === "list" ? `a list of ${value.items.length}` : "a mapping";
}
