/** Lists of another type: a YAML or JSON list, one value alone, or a repeated key. */
import type { OptionType } from "../option.ts";

/** At most this many items: watch lists and labels are for people, and every item costs something. */
const MAX_ITEMS = 1000;

export function listOf<T>(item: OptionType<T>): OptionType<readonly T[]> {
  return {
    label: `${item.label}, or a list of such`,
    word: item.word,
    schema: {
      anyOf: [item.schema, { type: "array", items: item.schema, maxItems: MAX_ITEMS }],
    },
    read(value, context) {
      const raw = value.kind === "list" ? value.items : [value];
      if (raw.length > MAX_ITEMS) {
        return context.fail(
          value,
          `the list has ${raw.length} items, at most ${MAX_ITEMS} are allowed`,
          "shorten the list",
        );
      }
      const items: T[] = [];
      for (const one of raw) {
        const read = item.read(one, context);
        if (read !== undefined) items.push(read);
      }
      return items.length === raw.length ? items : undefined;
    },
    show: (values) => `[${values.map((value) => item.show(value)).join(", ")}]`,
    combine: (first, second) => [...first, ...second],
  };
}
