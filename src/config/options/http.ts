/** Options of the HTTP front: its limits and times, all in one mapping `http`. */
import type { OptionType } from "../option.ts";
import { vassalOption } from "../option.ts";
import { integer } from "../types/scalars.ts";
import { duration, size } from "../types/units.ts";

const family = "http";
const MIB = 1024 ** 2;
const time: OptionType<number> = duration({ min: 100 });

const NO_LIMIT = 1024 ** 5;
const bareBytes = size({ bare: "", max: NO_LIMIT });

/** uWSGI's 0 is no limit, ours is no body. */
const limitPost: OptionType<number> = {
  ...bareBytes,
  read: (value, context) => {
    const bytes = bareBytes.read(value, context);
    return bytes === 0 ? NO_LIMIT : bytes;
  },
};

export const maxTarget = vassalOption({
  name: "http.max-target",
  family,
  type: size({ min: 64, max: MIB }),
  default: 8 * 1024,
  doc: "The longest request line (method, path and query). A longer one is answered 414. Units: K, M, or B for bytes.",
  example: "http: { max-target: 16K }",
});

export const maxHead = vassalOption({
  name: "http.max-head",
  family,
  type: size({ min: 256, max: 16 * MIB }),
  default: 32 * 1024,
  doc: "The longest request head: the request line and all headers, cookies included. A longer one is answered 431. Units: K, M, or B for bytes.",
  example: "http: { max-head: 64K }",
  aliases: [
    {
      name: "buffer-size",
      note: "a bare number counts bytes",
      type: size({ min: 256, max: 16 * MIB, bare: "" }),
    },
  ],
});

export const maxHeaders = vassalOption({
  name: "http.max-headers",
  family,
  type: integer({ min: 8, max: 10_000 }),
  default: 100,
  doc: "The most headers in one request. More are answered 431.",
  example: "http: { max-headers: 200 }",
});

export const maxBody = vassalOption({
  name: "http.max-body",
  family,
  type: size({}),
  default: 64 * MIB,
  doc: "The largest request body, also when it comes in chunks of unknown number. A larger one is answered 413. 0 allows no body at all. Bodies are streamed, so this costs no memory. Units: K, M, G, T.",
  example: "http: { max-body: 2G }",
  aliases: [
    { name: "limit-post", note: "a bare number counts bytes, 0 means no limit", type: limitPost },
  ],
});

export const headTimeout = vassalOption({
  name: "http.head-timeout",
  family,
  type: time,
  default: 15_000,
  doc: "The longest time from the first byte of a request to the end of its head. A slower client is answered 408. Units: ms, s, m, h.",
  example: "http: { head-timeout: 30s }",
});

export const bodyTimeout = vassalOption({
  name: "http.body-timeout",
  family,
  type: time,
  default: 30_000,
  doc: "The longest silence inside a request body. A client that sends nothing for so long is answered 408. Units: ms, s, m, h.",
  example: "http: { body-timeout: 1m }",
  aliases: [
    {
      name: "socket-timeout",
      note: "a bare number counts seconds",
      type: duration({ min: 100, bare: "s" }),
    },
    {
      name: "http-timeout",
      note: "a bare number counts seconds",
      type: duration({ min: 100, bare: "s" }),
    },
  ],
});

export const keepAlive = vassalOption({
  name: "http.keep-alive",
  family,
  type: duration(),
  default: 5000,
  doc: "How long a connection without a request is kept open for the next one. 0 closes after each response. A generation that drains waits this long for idle connections, so a short time makes deploys end sooner. Units: ms, s, m, h.",
  example: "http: { keep-alive: 15s }",
});

export const sendTimeout = vassalOption({
  name: "http.send-timeout",
  family,
  type: time,
  default: 60_000,
  doc: "The longest time that a client may take none of the bytes waiting for it; then the connection is closed. Units: ms, s, m, h.",
  example: "http: { send-timeout: 30s }",
});

export const maxConnections = vassalOption({
  name: "http.max-connections",
  family,
  type: integer({ min: 1, max: 1_000_000 }),
  default: 4096,
  doc: "The most open connections of one process; further ones wait in the kernel's queue. Keep it below limits.open-files.",
  example: "http: { max-connections: 10000 }",
});
