/** Options of deploys: when a new generation is ready, how long the old one may finish, what else deploys. */
import { vassalOption } from "../option.ts";
import { listOf } from "../types/lists.ts";
import { path } from "../types/path.ts";
import { text } from "../types/scalars.ts";
import { duration } from "../types/units.ts";

const family = "lifecycle";
const seconds = duration({ bare: "s" });
const bareSeconds = "a bare number counts seconds";

export const readyTimeout = vassalOption({
  name: "ready-timeout",
  family,
  type: duration({ min: 100 }),
  default: 60_000,
  doc: "How long a new generation may take to load and to pass its health check. After that it is thrown away and the old one goes on serving. Units: ms, s, m, h, d.",
  example: "ready-timeout: 2m",
});

export const drainTimeout = vassalOption({
  name: "drain-timeout",
  family,
  type: duration(),
  default: 60_000,
  doc: "How long requests of the old generation may go on after the new one serves; what still runs then is cut off. 0 cuts off at once. Units: ms, s, m, h, d.",
  example: "drain-timeout: 5m",
  aliases: [
    { name: "reload-mercy", note: bareSeconds, type: seconds },
    { name: "worker-reload-mercy", note: bareSeconds, type: seconds },
  ],
});

export const health = vassalOption({
  name: "health",
  family,
  type: text({
    label: "a path such as /healthz",
    word: "path",
    maxLength: 2048,
    pattern: /^\/[\x21-\x7e]*$/,
    patternFix: "start with a slash and use no spaces: /healthz",
  }),
  defaultText: "none: a loaded application is ready",
  doc: "A path that a new generation must answer with a status from 200 to 399 before it takes traffic.",
  example: "health: /healthz",
});

export const touch = vassalOption({
  name: "touch",
  family,
  type: listOf(path({ against: "file", label: "the path of a file" })),
  default: [],
  defaultText: "only the vassal file itself",
  doc: "More files whose change deploys the vassal, beside the vassal file. They are names, not patterns. A relative path starts at the folder of the vassal file.",
  example: "touch: /srv/blog/current/REVISION",
  aliases: [
    { name: "touch-reload" },
    { name: "touch-workers-reload" },
    { name: "touch-chain-reload" },
  ],
});
