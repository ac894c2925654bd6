/** Options of the workers: how many, how long a request may take, when a worker is replaced. */
import { vassalOption } from "../option.ts";
import { integer } from "../types/scalars.ts";
import { duration, size } from "../types/units.ts";
import { workerCount } from "../types/worker-count.ts";

const family = "workers";
const seconds = duration({ bare: "s" });
const bareSeconds = "a bare number counts seconds";

export const workers = vassalOption({
  name: "workers",
  family,
  type: workerCount,
  default: { min: 1, max: 1 },
  doc: "How many processes serve the application. One is enough for many; take about one for each core that it may use, and more when requests wait for other services. A range { min: 1, max: 8 } is kept for a later release that follows the load; in this one the most run all the time.",
  example: "workers: 4",
  aliases: [{ name: "processes" }, { name: "p" }],
});

export const threads = vassalOption({
  name: "threads",
  family,
  only: ["python"],
  type: integer({ min: 1, max: 1024 }),
  default: 1,
  doc: "Python only: how many requests one worker serves at a time, each in a thread of its own. The application has to be safe for threads when this is above 1. Node workers serve many requests at a time anyway.",
  example: "threads: 4",
});

export const deadline = vassalOption({
  name: "deadline",
  family,
  type: duration(),
  default: 60_000,
  doc: "The longest time for one request. A request past it is answered 504, its stack goes into the log, and its worker is replaced, the replacement being ready first; no other request notices. 0 means no limit, for endless responses such as server-sent events. Units: ms, s, m, h, d.",
  example: "deadline: 30s",
  aliases: [{ name: "harakiri", note: bareSeconds, type: seconds }],
});

export const maxRequests = vassalOption({
  name: "max-requests",
  family,
  type: integer({ min: 0, max: 1e12 }),
  default: 0,
  doc: "A worker is replaced after about this many requests (each worker gets a few per cent more or less, so that they do not go together); the replacement is ready first. 0 means never. Use it against applications that leak.",
  example: "max-requests: 10000",
});

export const maxLifetime = vassalOption({
  name: "max-lifetime",
  family,
  type: duration(),
  default: 0,
  doc: "A worker is replaced after about this time; the replacement is ready first. 0 means never. Units: ms, s, m, h, d.",
  example: "max-lifetime: 1d",
  aliases: [{ name: "max-worker-lifetime", note: bareSeconds, type: seconds }],
});

export const maxRss = vassalOption({
  name: "max-rss",
  family,
  type: size({}),
  default: 0,
  doc: "A worker that holds more memory than this is replaced after its present requests; the replacement is ready first. 0 means never. It is a soft limit that loses no request. Units: K, M, G, T (powers of 1024).",
  example: "max-rss: 512M",
  aliases: [
    { name: "reload-on-rss", note: "a bare number counts megabytes", type: size({ bare: "m" }) },
    {
      name: "evil-reload-on-rss",
      note: "a bare number counts megabytes; requests are not lost here",
      type: size({ bare: "m" }),
    },
  ],
});
