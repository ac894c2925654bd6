/** Golden files in test/config: a vassal file, a dashed line, and what comes of it (fields that differ from the defaults). */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { loadVassalConfig } from "../../../src/config/load.ts";
import { formatProblem } from "../../../src/config/problem.ts";

const FOLDER = new URL("../../config/", import.meta.url);
const SEPARATOR = "\n----\n";

/** Every default, written out once: a changed default has to be changed here too. */
const DEFAULTS = {
  directory: "/etc/tsgi",
  env: {},
  envFile: [],
  pythonpath: [],
  preload: true,
  workers: { min: 1, max: 1 },
  threads: 1,
  deadlineMs: 60_000,
  maxRequests: 0,
  maxLifetimeMs: 0,
  maxRssBytes: 0,
  readyTimeoutMs: 60_000,
  drainTimeoutMs: 60_000,
  touch: [],
  limits: {},
  requestLog: "none",
  tags: [],
  http: {
    maxTargetBytes: 8192,
    maxHeadBytes: 32_768,
    maxHeaders: 100,
    maxBodyBytes: 67_108_864,
    headTimeoutMs: 15_000,
    bodyTimeoutMs: 30_000,
    keepAliveMs: 5000,
    sendTimeoutMs: 60_000,
    maxConnections: 4096,
  },
  static: { index: ["index.html"], followSymlinks: false, precompressed: true },
  exec: { socket: "port" },
};

interface Expected {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly problems?: readonly string[];
  readonly warnings?: readonly string[];
}

const files = readdirSync(FOLDER).filter((name) => name.endsWith(".golden"));

test("there are golden files of every format", () => {
  for (const format of [".yaml", ".yml", ".json", ".ini"]) {
    assert.ok(
      files.some((name) => name.endsWith(`${format}.golden`)),
      format,
    );
  }
});

for (const name of files) {
  test(`loadVassalConfig() gives what ${name} promises`, () => {
    const [source, json] = readFileSync(new URL(name, FOLDER), "utf8").split(SEPARATOR);
    const file = `/etc/tsgi/${name.replace(/\.golden$/, "")}`;
    const expected: Expected = JSON.parse(json ?? "");
    const result = loadVassalConfig({ file, bytes: Buffer.from(`${source}\n`) });
    const shorten = (text: string) => text.replace("/etc/tsgi/", "");
    const actual = {
      ...(result.ok ? { config: JSON.parse(JSON.stringify(result.config)) } : {}),
      problems: result.ok ? [] : result.problems.map((one) => shorten(formatProblem(one))),
      warnings: result.warnings.map((one) => shorten(formatProblem(one))),
    };
    assert.deepEqual(actual, {
      ...(expected.config === undefined ? {} : { config: overDefaults(expected.config) }),
      problems: expected.problems ?? [],
      warnings: expected.warnings ?? [],
    });
  });
}

/** One level deep: `http`, `static` and `limits` name only what differs. */
function overDefaults(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...DEFAULTS, ...config };
  for (const group of ["http", "static", "limits"] as const) {
    const given = config[group];
    if (typeof given === "object") merged[group] = { ...DEFAULTS[group], ...given };
  }
  return merged;
}
