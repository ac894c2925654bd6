/** Options of who a vassal runs as and what the kernel allows it. */
import { vassalOption } from "../option.ts";
import { integer, text } from "../types/scalars.ts";
import { size } from "../types/units.ts";

const family = "identity";
const account = (what: "user" | "group") =>
  text({
    label: `the name or number of a ${what}`,
    word: what,
    maxLength: 64,
    pattern: /^([A-Za-z_][A-Za-z0-9_.-]*\$?|\d{1,10})$/,
  });

export const user = vassalOption({
  name: "user",
  family,
  type: account("user"),
  defaultText: "the emperor's user",
  doc: "The user that the vassal runs as, by name or number. Only an emperor that runs as root can change it.",
  example: "user: www-data",
  aliases: [{ name: "uid" }],
});

export const group = vassalOption({
  name: "group",
  family,
  type: account("group"),
  defaultText: "the main group of the user",
  doc: "The group that the vassal runs as, by name or number. Only an emperor that runs as root can change it.",
  example: "group: www-data",
  aliases: [{ name: "gid" }],
});

export const openFiles = vassalOption({
  name: "limits.open-files",
  family,
  type: integer({ min: 64, max: 2 ** 30 }),
  defaultText: "the emperor's own limit",
  doc: "The most open files and connections of each process of the vassal (RLIMIT_NOFILE).",
  example: "limits: { open-files: 4096 }",
  aliases: [{ name: "max-fd" }],
});

export const tasks = vassalOption({
  name: "limits.tasks",
  family,
  type: integer({ min: 16, max: 4_194_304 }),
  defaultText: "the emperor's own limit",
  doc: "The most processes and threads of the vassal's user (RLIMIT_NPROC): the kernel counts all of that user, and does not limit root. Node itself needs about a dozen.",
  example: "limits: { tasks: 128 }",
  aliases: [{ name: "limit-nproc" }],
});

export const core = vassalOption({
  name: "limits.core",
  family,
  type: size({}),
  defaultText: "the emperor's own limit",
  doc: "The largest core file after a crash (RLIMIT_CORE). 0 writes none. Units: K, M, G, T.",
  example: "limits: { core: 0 }",
});
