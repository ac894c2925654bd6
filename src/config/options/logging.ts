/** Options of logs and labels. */
import { vassalOption } from "../option.ts";
import type { OptionType } from "../option.ts";
import { listOf } from "../types/lists.ts";
import { path } from "../types/path.ts";
import { boolean, text } from "../types/scalars.ts";

const family = "logging";

const format = text({
  label: "none, json, common, combined, or a format with %(name) fields",
  word: "format",
  maxLength: 4096,
  // oxlint-disable-next-line no-control-regex
  pattern: /^[^\u0000-\u001f]+$/,
  patternFix: "write the format in one line without control characters",
});

/** disable-logging = true means "none"; false is "combined", the nearest to uWSGI's own line. */
const disabled: OptionType<string> = {
  label: "true or false",
  word: "true|false",
  schema: { type: "boolean" },
  read: (value, context) => {
    const read = boolean().read(value, context);
    if (read === undefined) return undefined;
    return read ? "none" : "combined";
  },
  show: (value) => value,
};

export const log = vassalOption({
  name: "log",
  family,
  type: path({ against: "file", label: "the path of a file" }),
  defaultText: "a file named after the vassal in the emperor's state directory",
  doc: "The file that takes everything the vassal and its application print, appended line by line. It survives the emperor. A relative path starts at the folder of the vassal file.",
  example: "log: /var/log/blog.log",
  aliases: [{ name: "logto" }, { name: "logto2" }, { name: "daemonize" }],
});

export const requestLog = vassalOption({
  name: "request-log",
  family,
  type: format,
  default: "none",
  doc: "One line in the log for each request: none, json, common, combined, or a format of your own with uWSGI's fields, such as %(method) %(uri) %(status) %(msecs).",
  example: "request-log: json",
  aliases: [
    { name: "log-format" },
    { name: "disable-logging", note: "true is none, false is combined", type: disabled },
  ],
});

export const tags = vassalOption({
  name: "tags",
  family,
  type: listOf(
    text({
      label: "a label such as team-a",
      word: "label",
      maxLength: 64,
      pattern: /^[A-Za-z0-9][A-Za-z0-9._@-]*$/,
      patternFix: "start with a letter or digit and use only letters, digits and . _ @ -",
    }),
  ),
  default: [],
  defaultText: "none",
  doc: "Labels by which commands can name several vassals at once: tsgi-emperor reload tag:team-a.",
  example: "tags: [team-a, public]",
});
