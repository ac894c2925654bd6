/** Every option of the table: its default, a good value under every one of its names, a bad value, its texts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, loadVassalConfig } from "../../../src/config/load.ts";
import type { OptionSpec } from "../../../src/config/option.ts";
import { FAMILIES, flatName } from "../../../src/config/option.ts";
import { INDEX, OPTIONS, usableOptions } from "../../../src/config/options/registry.ts";
import type { Settings } from "../../../src/config/settings.ts";

interface Sample {
  /** As text in an INI file; what `show` makes of it. */
  readonly good: string;
  readonly shown: string;
  readonly bad: string;
  /** What an alias reads in other words: name, text, what `show` makes of it. */
  readonly aliases?: Readonly<Record<string, readonly [text: string, shown: string] | "refused">>;
}

/** One row for each option; a test below insists on it. */
const SAMPLES: Readonly<Record<string, Sample>> = {
  python: {
    good: "blog.wsgi:app",
    shown: "blog.wsgi:app",
    bad: "no such module",
    aliases: { "wsgi-file": ["blog.wsgi", "blog.wsgi"] },
  },
  callable: { good: "app", shown: "app", bad: "1app" },
  node: { good: "server.js", shown: "server.js", bad: "~/server.js" },
  static: { good: "/srv/www", shown: "/srv/www", bad: "~" },
  exec: { good: "./app -x 'a b'", shown: '["./app","-x","a b"]', bad: "./app 'open" },
  "exec-socket": { good: "listen-fds", shown: "listen-fds", bad: "stdin" },
  directory: { good: "current", shown: "/etc/tsgi/current", bad: "~blog" },
  env: { good: "A=b=c", shown: '{A: "b=c"}', bad: "A" },
  "env-file": { good: "a.env", shown: "[/etc/tsgi/a.env]", bad: "~/a.env" },
  interpreter: { good: "python3.13", shown: "python3.13", bad: "~/python" },
  virtualenv: { good: "venv", shown: "venv", bad: "~/venv" },
  pythonpath: { good: "src", shown: "[src]", bad: "~/src" },
  preload: {
    good: "false",
    shown: "false",
    bad: "maybe",
    aliases: { "lazy-apps": ["true", "false"], lazy: ["true", "false"] },
  },
  listen: {
    good: "http://[0:0::1]:80/",
    shown: "[http://[::1]:80]",
    bad: "http://example.org:80",
    aliases: {
      "http-socket": [":80", "[http://0.0.0.0:80]"],
      "http11-socket": ["127.0.0.1:80", "[http://127.0.0.1:80]"],
      http: ["/run/x.sock", "[http+unix:///run/x.sock]"],
      https: "refused",
      "https-socket": "refused",
      socket: "refused",
      "uwsgi-socket": "refused",
      "fastcgi-socket": "refused",
      "scgi-socket": "refused",
      "raw-socket": "refused",
    },
  },
  workers: { good: "2-4", shown: "2-4", bad: "4-2" },
  threads: { good: "8", shown: "8", bad: "0" },
  deadline: { good: "1.5s", shown: "1500ms", bad: "30", aliases: { harakiri: ["30", "30s"] } },
  "max-requests": { good: "1000", shown: "1000", bad: "1e3" },
  "max-lifetime": {
    good: "1h",
    shown: "1h",
    bad: "3600",
    aliases: { "max-worker-lifetime": ["3600", "1h"] },
  },
  "max-rss": {
    good: "64M",
    shown: "64M",
    bad: "64",
    aliases: { "reload-on-rss": ["64", "64M"], "evil-reload-on-rss": ["64", "64M"] },
  },
  "ready-timeout": { good: "90s", shown: "90s", bad: "0" },
  "drain-timeout": {
    good: "0",
    shown: "0",
    bad: "5",
    aliases: { "reload-mercy": ["5", "5s"], "worker-reload-mercy": ["5", "5s"] },
  },
  health: { good: "/healthz", shown: "/healthz", bad: "http://x/" },
  touch: { good: "flag", shown: "[/etc/tsgi/flag]", bad: "~/flag" },
  "http.max-target": { good: "16K", shown: "16K", bad: "1" },
  "http.max-head": {
    good: "64K",
    shown: "64K",
    bad: "65536",
    aliases: { "buffer-size": ["65535", "65535B"] },
  },
  "http.max-headers": { good: "50", shown: "50", bad: "-1" },
  "http.max-body": {
    good: "1G",
    shown: "1G",
    bad: "1048576",
    aliases: { "limit-post": ["1048576", "1M"] },
  },
  "http.head-timeout": { good: "10s", shown: "10s", bad: "0" },
  "http.body-timeout": {
    good: "10s",
    shown: "10s",
    bad: "10",
    aliases: { "socket-timeout": ["10", "10s"], "http-timeout": ["10", "10s"] },
  },
  "http.keep-alive": { good: "0", shown: "0", bad: "true" },
  "http.send-timeout": { good: "10s", shown: "10s", bad: "401d" },
  "http.max-connections": { good: "10", shown: "10", bad: "0" },
  "static.index": { good: "index.htm", shown: "[index.htm]", bad: "a/index.html" },
  "static.follow-symlinks": { good: "yes", shown: "true", bad: "2" },
  "static.cache-control": { good: "no-store", shown: "no-store", bad: "ümlaut" },
  "static.fallback": { good: "app/index.html", shown: "app/index.html", bad: "app/../../etc" },
  "static.precompressed": { good: "off", shown: "false", bad: "gzip" },
  user: { good: "www-data", shown: "www-data", bad: "a b" },
  group: { good: "33", shown: "33", bad: "a:b" },
  "limits.open-files": { good: "1024", shown: "1024", bad: "1" },
  "limits.tasks": { good: "100", shown: "100", bad: "1" },
  "limits.core": { good: "0", shown: "0", bad: "unlimited" },
  log: { good: "blog.log", shown: "/etc/tsgi/blog.log", bad: "~/blog.log" },
  "request-log": {
    good: "%(uri) %(status)",
    shown: "%(uri) %(status)",
    bad: "a\tb",
    aliases: { "disable-logging": ["true", "none"] },
  },
  tags: { good: "team-a", shown: "[team-a]", bad: "team a" },
};

const EMPEROR_SAMPLES: Readonly<Record<string, Sample>> = {
  vassals: { good: "/srv/vassals", shown: "[/srv/vassals]", bad: "~/vassals" },
  "runtime-dir": { good: "run", shown: "/etc/tsgi/run", bad: "~" },
  "state-dir": { good: "/var/x", shown: "/var/x", bad: "~" },
  "spawn-concurrency": { good: "4", shown: "4", bad: "0" },
  "rescan-interval": {
    good: "30s",
    shown: "30s",
    bad: "30",
    aliases: { "emperor-freq": ["3", "3s"] },
  },
  "log-level": { good: "debug", shown: "debug", bad: "trace" },
  "env-pass": { good: "TZ", shown: "[TZ]", bad: "A=B" },
};

for (const [scope, samples] of [
  ["vassal", SAMPLES],
  ["emperor", EMPEROR_SAMPLES],
] as const) {
  test(`every option of scope ${scope} has a sample here`, () => {
    const names = usableOptions(scope).map(({ name }) => name);
    assert.deepEqual(names.sort(), Object.keys(samples).sort());
  });

  for (const [name, sample] of Object.entries(samples)) {
    const spec = INDEX[scope].spellings.get(name)?.spec;
    assert.ok(spec !== undefined, name);

    test(`option ${name} reads a good value under each of its names`, () => {
      const spellings: [string, readonly [string, string] | "refused"][] = [
        [name, [sample.good, sample.shown]],
        [flatName(name), [sample.good, sample.shown]],
        ...spec.aliases.map(({ name: alias }): [string, readonly [string, string] | "refused"] => [
          alias,
          sample.aliases?.[alias] ?? [sample.good, sample.shown],
        ]),
      ];
      for (const [key, expected] of spellings) {
        const { shown, problems } = read(
          scope,
          spec,
          key,
          expected === "refused" ? ":1" : expected[0],
        );
        if (expected === "refused") assert.match(problems[0] ?? "", /not spoken yet/, key);
        else assert.equal(shown, expected[1], `${key}: ${problems.join("; ")}`);
      }
    });

    test(`option ${name} refuses a bad value with its place and a fix`, () => {
      const { shown, problems } = read(scope, spec, name, sample.bad);
      assert.equal(shown, undefined);
      assert.match(problems[0] ?? "", new RegExp(`^2:${name.length + 4} ${name}: .+; .+`));
    });

    test(`option ${name} refuses a missing value`, () => {
      assert.match(read(scope, spec, name, "").problems[0] ?? "", /has no value/);
    });
  }
}

test("every ignored uWSGI option is accepted with a warning that says why", () => {
  const ignored = OPTIONS.filter(({ family }) => family === "ignored");
  assert.ok(ignored.length > 20);
  for (const { name, doc } of ignored) {
    const text = `[uwsgi]\nhttp-socket = :80\nmodule = a:b\n${name} = 1\n`;
    const result = loadVassalConfig({ file: "/etc/tsgi/a.ini", bytes: Buffer.from(text) });
    assert.ok(result.ok, name);
    assert.equal(result.warnings.length, 1, name);
    assert.equal(result.warnings[0]?.line, 4);
    assert.ok(result.warnings[0]?.message.includes(doc), name);
  }
});

test("every key of a later release is refused by name, under each of its names", () => {
  for (const spec of OPTIONS.filter(({ family }) => family === "later")) {
    for (const { name } of [{ name: spec.name }, ...spec.aliases]) {
      const { problems } = read("vassal", spec, name, "1");
      assert.match(problems[0] ?? "", /is not available in this release/, name);
    }
  }
});

test("every option has texts that people can read, and defaults that read back", () => {
  for (const spec of [...usableOptions("vassal"), ...usableOptions("emperor")]) {
    assert.ok(spec.family in FAMILIES);
    assert.match(spec.doc, /^[A-Z].{20,}\.$/s, spec.name);
    assert.match(spec.since, /^\d+\.\d+\.\d+$/);
    const key = spec.name.split(".")[0] ?? "";
    assert.ok(spec.example.startsWith(`${key}:`), `${spec.name}: ${spec.example}`);
    assert.ok(spec.default !== undefined || spec.defaultText !== undefined, spec.name);
    if (spec.default !== undefined && spec.type.combine === undefined) {
      const shown = spec.type.show(spec.default);
      assert.equal(read(spec.scope, spec, spec.name, shown).shown, shown, spec.name);
    }
  }
});

test("every example is valid YAML for its own key", () => {
  for (const spec of [...usableOptions("vassal"), ...usableOptions("emperor")]) {
    const { settings, problems } = loadText(spec.scope, "a.yaml", `${spec.example}\n`);
    assert.deepEqual(problems, [], spec.name);
    assert.ok(settings?.given.has(spec.name), spec.name);
  }
});

/** Reads one key through a real file and shows the typed value again. */
function read(
  scope: "vassal" | "emperor",
  spec: OptionSpec<unknown>,
  key: string,
  text: string,
): { readonly shown: string | undefined; readonly problems: readonly string[] } {
  const { settings, problems } = loadText(scope, "a.ini", `[tsgi]\n${key} = ${text}\n`);
  const given = settings?.given.get(spec.name);
  return { shown: given && spec.type.show(given.value), problems };
}

function loadText(scope: "vassal" | "emperor", name: string, text: string) {
  let settings: Settings | undefined;
  const result = load({ file: `/etc/tsgi/${name}`, bytes: Buffer.from(text) }, scope, (read) => {
    settings = read;
    return read;
  });
  const problems = result.ok
    ? []
    : result.problems.map((one) => `${one.line}:${one.column} ${one.message}; ${one.fix}`);
  return { settings, problems };
}
