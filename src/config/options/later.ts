/** Keys of the contract that this release does not have yet: refused by name, so that nobody hunts for a typing error. */
import type { OptionSpec, OptionType } from "../option.ts";
import { vassalOption } from "../option.ts";

function notYet(key: string): OptionType<never> {
  return {
    label: "a value",
    word: "value",
    schema: { not: {} },
    read: (value, context) =>
      context.fail(value, `'${key}' is not available in this release`, "remove the key"),
    show: () => "",
  };
}

/** Name and uWSGI's names for the same. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  ruby: ["rack"],
  php: ["php-docroot"],
  cgi: [],
  proxy: ["http-to"],
  interface: [],
  speaks: [],
  start: [],
  idle: [],
  warmup: [],
  after: [],
  isolate: [],
  chroot: [],
  stats: ["stats-server"],
  "limits.memory": ["limit-as"],
  "limits.cpu": [],
  cheaper: [],
  mule: ["mules"],
  spooler: [],
  cron: [],
  "attach-daemon": [],
  "static-map": [],
};

export const LATER_OPTIONS: readonly OptionSpec<never>[] = Object.entries(KEYS).map(
  ([name, aliases]) =>
    vassalOption<never>({
      name,
      family: "later",
      type: notYet(name),
      doc: "A key of a later release; it is refused with this reason.",
      example: `# ${name}`,
      aliases: aliases.map((alias) => ({ name: alias })),
    }),
);
