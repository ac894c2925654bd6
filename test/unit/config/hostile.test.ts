/** Hostile and broken files: each is refused with a place, a reason and a fix, nothing is thrown, and the work is bounded. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadVassalConfig } from "../../../src/config/load.ts";
import type { LoadResult } from "../../../src/config/load.ts";
import { formatProblem } from "../../../src/config/problem.ts";

const MIB = 1024 ** 2;

interface Row {
  readonly title: string;
  readonly name: string;
  readonly content: string | Uint8Array;
  readonly says: RegExp;
}

const YAML = "listen: http://:80\nnode: a.js\n";
const INI = "[uwsgi]\nhttp-socket = :80\nmodule = a:b\n";

const ROWS: readonly Row[] = [
  // C15: bytes that are no text
  { title: "empty", name: "a.yaml", content: "", says: /a\.yaml:1:1: the file is empty; write/ },
  { title: "only spaces", name: "a.json", content: " \n\t\n", says: /:1:1: the file is empty/ },
  { title: "only comments", name: "a.yaml", content: "# x\n", says: /no content/ },
  { title: "NUL", name: "a.yaml", content: `${YAML}log: "a\0b"\n`, says: /:3:8: .*\\x00/ },
  { title: "escape", name: "a.ini", content: `${INI}; \x1b[2J\n`, says: /:4:3: .*\\x1b/ },
  { title: "C1 control", name: "a.yaml", content: "a: \u009b2J\n", says: /:1:4: .*\\x9b/ },
  {
    title: "UTF-16",
    name: "a.yaml",
    content: Buffer.from(`\ufeff${YAML}`, "utf16le"),
    says: /:1:1: the file is UTF-16; save it as UTF-8/,
  },
  {
    title: "invalid UTF-8",
    name: "a.yaml",
    content: Buffer.from([...Buffer.from("a: ä\nb: "), 0xc3, 0x28]),
    says: /:2:4: .*not valid UTF-8/,
  },
  {
    title: "overlong UTF-8",
    name: "a.ini",
    content: Buffer.from([...Buffer.from("[uwsgi]\n"), 0xc0, 0xaf]),
    says: /:2:1: .*not valid UTF-8/,
  },
  // C13: size
  { title: "too big", name: "a.yaml", content: "#".repeat(MIB + 1), says: /at most 1048576/ },
  {
    title: "many lines",
    name: "a.yaml",
    content: "a: b\n".repeat(200_000),
    says: /too many values/,
  },
  { title: "many keys", name: "a.ini", content: `${INI}${many("k")}`, says: /unknown key 'k0'/ },
  { title: "many JSON keys", name: "a.json", content: manyJson(), says: /unknown key 'k0'/ },
  // C14, V80, V81, V83: bombs, depth, code
  { title: "alias bomb", name: "a.yaml", content: bomb(), says: /aliases multiply/ },
  {
    title: "alias of itself",
    name: "a.yaml",
    content: "a: &a [*a]\n",
    says: /:1:8: .*contains itself/,
  },
  { title: "unknown alias", name: "a.yaml", content: "a: *b\n", says: /:1:4: / },
  { title: "merge", name: "a.yaml", content: "a: &a {b: c}\n<<: *a\n", says: /:2:1: merge keys/ },
  { title: "merge bomb", name: "a.yaml", content: mergeBomb(), says: /merge keys/ },
  { title: "code tag", name: "a.yaml", content: "a: !!js/function 'x'\n", says: /:1:4: tags/ },
  { title: "harmless tag", name: "a.yaml", content: "a: !!binary aGk=\n", says: /:1:4: tags/ },
  {
    title: "directive",
    name: "a.yaml",
    content: "%YAML 1.1\n---\na: b\n",
    says: /:1:1: directives/,
  },
  {
    title: "two documents",
    name: "a.yaml",
    content: `${YAML}---\n${YAML}`,
    says: /more than one doc/,
  },
  {
    title: "deep flow list",
    name: "a.yaml",
    content: "[".repeat(MIB),
    says: /:1:65: .*deeper than 64/,
  },
  {
    title: "deep flow map",
    name: "a.yaml",
    content: "{a: ".repeat(MIB / 4),
    says: /deeper than 64/,
  },
  {
    title: "deep block list",
    name: "a.yaml",
    content: "- ".repeat(10_000),
    says: /deeper than 64/,
  },
  { title: "deep keys", name: "a.yaml", content: "? ".repeat(10_000), says: /deeper than 64/ },
  { title: "deep block map", name: "a.yaml", content: staircase(), says: /deeper than 64/ },
  {
    title: "deep JSON list",
    name: "a.json",
    content: "[".repeat(MIB),
    says: /:1:66: .*deeper than 64/,
  },
  {
    title: "deep JSON map",
    name: "a.json",
    content: '{"a":'.repeat(MIB / 5),
    says: /deeper than 64/,
  },
  {
    title: "bad escapes",
    name: "a.yaml",
    content: `a: "${"\\q".repeat(MIB / 3)}"`,
    says: /:1:5: .*bad escape/,
  },
  // C16: strictness
  {
    title: "duplicate YAML key",
    name: "a.yaml",
    content: `${YAML}node: b\n`,
    says: /:3:1: .*'node'.*twice/,
  },
  {
    title: "duplicate env",
    name: "a.yaml",
    content: `${YAML}env: {A: 1, A: 2}`,
    says: /:3:13: .*'A'.*twice/,
  },
  {
    title: "duplicate JSON key",
    name: "a.json",
    content: '{"node":"a","node":"b"}',
    says: /:1:13: .*twice/,
  },
  {
    title: "proto",
    name: "a.yaml",
    content: `${YAML}__proto__: {x: 1}\n`,
    says: /:3:1: unknown key '__proto__'/,
  },
  {
    title: "JSON proto",
    name: "a.json",
    content: '{"__proto__":{"x":1}}',
    says: /unknown key '__proto__'/,
  },
  { title: "INI proto", name: "a.ini", content: "[__proto__]\nx = 1\n", says: /no section/ },
  {
    title: "INI proto key",
    name: "a.ini",
    content: `${INI}__proto__ = 1\n`,
    says: /unknown key '__proto__'/,
  },
  {
    title: "constructor",
    name: "a.yaml",
    content: `${YAML}constructor: x\n`,
    says: /unknown key 'constructor'/,
  },
  {
    title: "group proto",
    name: "a.yaml",
    content: `${YAML}http: {__proto__: 1}\n`,
    says: /'http.__proto__'/,
  },
  { title: "NaN", name: "a.yaml", content: `${YAML}threads: .nan\n`, says: /:3:10: .*'\.nan'/ },
  { title: "hexadecimal", name: "a.yaml", content: `${YAML}threads: 0x10\n`, says: /'0x10'/ },
  {
    title: "JSON NaN",
    name: "a.json",
    content: '{"threads": NaN}',
    says: /:1:13: expected a value/,
  },
  {
    title: "JSON trailing bytes",
    name: "a.json",
    content: "{} x",
    says: /:1:4: expected end of the file/,
  },
  {
    title: "JSON trailing comma",
    name: "a.json",
    content: '{"node":"a",}',
    says: /:1:13: .*double quotes/,
  },
  {
    title: "JSON comment",
    name: "a.json",
    content: '// x\n{"node":"a"}',
    says: /:1:1: .*no comments/,
  },
  { title: "JSON single quotes", name: "a.json", content: "{'node':'a'}", says: /:1:2: / },
  {
    title: "JSON open text",
    name: "a.json",
    content: '{"node":"a\n"}',
    says: /:1:9: .*not closed/,
  },
  { title: "JSON bad escape", name: "a.json", content: '{"node":"\\q"}', says: /:1:9: .*escape/ },
  { title: "JSON leading zero", name: "a.json", content: '{"threads":01}', says: /:1:12: / },
  { title: "JSON list", name: "a.json", content: "[1]", says: /:1:1: .*not a mapping/ },
  { title: "YAML text", name: "a.yaml", content: "just words\n", says: /:1:1: .*not a mapping/ },
  { title: "YAML tab indent", name: "a.yaml", content: "env:\n\tA: b\n", says: /:2:1: / },
  {
    title: "YAML open list",
    name: "a.yaml",
    content: "listen: [a\nnode: b\n",
    says: /a\.yaml:\d+:\d+: /,
  },
  { title: "YAML list key", name: "a.yaml", content: "[a]: b\n", says: /:1:1: a key is not plain/ },
  {
    title: "INI before section",
    name: "a.ini",
    content: "a = b\n",
    says: /:1:1: .*before any section/,
  },
  {
    title: "INI no section",
    name: "a.ini",
    content: "[uwgsi]\na = b\n",
    says: /did you mean \[uwsgi\]/,
  },
  { title: "INI open section", name: "a.ini", content: "[uwsgi\n", says: /:1:1: .*not closed/ },
  { title: "INI no key", name: "a.ini", content: `${INI} = b\n`, says: /:4:2: .*no key/ },
  {
    title: "INI repeated key",
    name: "a.ini",
    content: `${INI}uid = a\nuid = b\n`,
    says: /:5:1: 'uid' is given twice/,
  },
  { title: "wrong extension", name: "a.toml", content: "x", says: /extension; name it \*\.yaml/ },
  { title: "NUL in JSON escape", name: "a.json", content: '{"node":"a\\u0000b"}', says: /NUL/ },
  {
    title: "NUL in env",
    name: "a.yaml",
    content: `${YAML}env: {A: "\\0"}\n`,
    says: /A contains a NUL/,
  },
  {
    title: "escape in a key",
    name: "a.yaml",
    content: '"\\e[31mkey": 1\n',
    says: /'\\x1b\[31mkey'/,
  },
  { title: "overriding mark", name: "a.yaml", content: "\u202ekey: 1\n", says: /'\\u202ekey'/ },
  // C17, V84: placeholders and patterns
  {
    title: "placeholder loop",
    name: "a.ini",
    content: `${INI}x=%(y)\ny=%(x)\nchdir=%(x)`,
    says: /back to itself/,
  },
  {
    title: "placeholder of itself",
    name: "a.ini",
    content: `${INI}chdir=%(chdir)`,
    says: /back to itself/,
  },
  {
    title: "placeholder bomb",
    name: "a.ini",
    content: placeholderBomb(),
    says: /longer than 65536/,
  },
  {
    title: "placeholder copies",
    name: "a.ini",
    content: placeholderCopies(),
    says: /longer than 65536/,
  },
  {
    title: "environment",
    name: "a.ini",
    content: `${INI}chdir = $(HOME)\n`,
    says: /:4:9: .*reads nothing/,
  },
  {
    title: "exec scheme",
    name: "a.ini",
    content: `${INI}chdir = @(exec://id)\n`,
    says: /:4:9: .*runs and reads/,
  },
  {
    title: "YAML exec scheme",
    name: "a.yaml",
    content: "uwsgi: {chdir: '@(exec://id)'}",
    says: /runs and reads/,
  },
  {
    title: "include",
    name: "a.ini",
    content: `${INI}include = /etc/passwd\n`,
    says: /:4:\d+: .*include/,
  },
  {
    title: "braces",
    name: "a.yaml",
    content: `${YAML}touch: "${"{a,".repeat(3000)}"\n`,
    says: /at most 4095/,
  },
  {
    title: "many watches",
    name: "a.yaml",
    content: `${YAML}touch: [${"a,".repeat(1001)}]`,
    says: /at most 1000/,
  },
];

for (const { title, name, content, says } of ROWS) {
  test(`loadVassalConfig() refuses a file: ${title}`, () => {
    const result = loadBytes(name, content);
    assert.ok(!result.ok);
    const text = result.problems.map((problem) => formatProblem(problem)).join("\n");
    assert.match(text, says);
    assert.ok(result.problems.length <= 101);
    for (const problem of result.problems) {
      assert.ok(formatProblem(problem).length < 700, "short");
      assert.notEqual(problem.fix, "");
      // oxlint-disable-next-line no-control-regex
      assert.doesNotMatch(formatProblem(problem), /[\u0000-\u001f\u007f-\u009f\u202e]/);
    }
  });
}

const LONG = "x".repeat(MIB - 4096);

test("a text of a mebibyte in any option is read or refused, in all formats", () => {
  const keys = ["listen", "node", "exec", "python", "env", "touch", "health", "user", "workers"];
  const more = ["deadline", "max-rss", "tags", "request-log", "callable", "threads", "preload"];
  for (const key of [...keys, ...more]) {
    for (const long of [
      LONG,
      "http://".padEnd(MIB - 4096, "/"),
      "A=".padEnd(MIB - 4096, " \\\"'"),
    ]) {
      const yaml = loadBytes("a.yaml", `${key}: ${JSON.stringify(long)}\n`);
      const json = loadBytes("a.json", JSON.stringify({ [key]: long }));
      assert.ok(!yaml.ok && !json.ok, key);
      assert.ok(yaml.problems.every((problem) => formatProblem(problem).length < 700));
    }
    assert.ok(!loadBytes("a.ini", `[tsgi]\n${key} = ${LONG}\n`).ok, key);
  }
});

test("a byte order mark and CRLF lines are fine in every format", () => {
  const texts = {
    "a.yaml": "listen: http://:80\r\nnode: a.js\r\n",
    "a.json": '{"listen": "http://:80",\r\n"node": "a.js"}\r\n',
    "a.ini": "[tsgi]\r\nlisten = http://:80\r\nnode = a.js\r\n",
  };
  for (const [name, text] of Object.entries(texts)) {
    const result = loadBytes(name, `\ufeff${text}`);
    assert.ok(result.ok, name);
    assert.deepEqual(result.config.app, { kind: "node", target: "a.js" });
  }
});

test("a variable called __proto__ is a variable, and changes no prototype", () => {
  const result = loadBytes("a.yaml", `${YAML}env: {__proto__: x, constructor: y}\n`);
  assert.ok(result.ok);
  assert.deepEqual(Object.entries(result.config.env), [
    ["__proto__", "x"],
    ["constructor", "y"],
  ]);
  assert.equal(Reflect.get({}, "x"), undefined);
});

test("problems of env name the place and never the value", () => {
  const files = {
    "a.yaml": `${YAML}env: [geheim, "1A=geheim", "A=geheim\\0"]`,
    "b.yaml": `${YAML}env: {1A: geheim, B: "geheim\\0", C: [geheim]}`,
    "c.ini": `${INI}env = geheim\nenv = A=geheim$(x)\nenv = B=geheim%(x)`,
  };
  for (const [name, text] of Object.entries(files)) {
    const result = loadBytes(name, text);
    assert.ok(!result.ok, name);
    assert.equal(result.problems.length, 3, name);
    assert.doesNotMatch(JSON.stringify(result.problems), /geheim/, name);
  }
});

test("no mutation of a good file makes the loader throw", () => {
  const seeds: readonly [string, string][] = [
    [
      "a.yaml",
      `${YAML}env: {A: "b\\n", C: 'd'}\nworkers: {min: 1, max: 2}\ntags: &t [a, *x]\n# c\n`,
    ],
    [
      "a.json",
      '{"listen": ["http://:80"], "node": "a\\u0041", "env": {"A": 1.5e3}, "preload": false}',
    ],
    ["a.ini", `${INI}env = A=%n\nx = %(y)\ny = 1\nchdir = %d%(x)\nvacuum\n`],
  ];
  const random = seededRandom(20_261_122);
  const pieces = [
    "%(",
    ")",
    '"',
    "'",
    "{",
    "}",
    "[",
    "]",
    ":",
    "\n",
    " ",
    "&a",
    "*a",
    "|",
    ">",
    "\\",
    "\t",
    "é",
    "-",
    "?",
    "<<",
  ];
  for (const [name, text] of seeds) {
    for (let round = 0; round < 1500; round += 1) {
      let mutated = text;
      for (let change = 0; change <= round % 5; change += 1) {
        const at = Math.floor(random() * mutated.length);
        const piece = pieces[Math.floor(random() * pieces.length)] ?? "";
        mutated = mutated.slice(0, at) + piece + mutated.slice(at + Math.floor(random() * 3));
      }
      const result = loadBytes(name, mutated);
      if (!result.ok) assert.ok(result.problems.length > 0, mutated);
    }
  }
});

function loadBytes(name: string, content: string | Uint8Array): LoadResult {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return loadVassalConfig({ file: `/etc/tsgi/${name}`, bytes });
}

function many(prefix: string): string {
  return Array.from({ length: 80_000 }, (_, index) => `${prefix}${index}=1`).join("\n");
}

function manyJson(): string {
  return `{${Array.from({ length: 60_000 }, (_, index) => `"k${index}":1`).join(",")}}`;
}

function bomb(): string {
  const names = "abcdefghij".split("");
  return names
    .map((name, index) => {
      const items = Array(9).fill(index === 0 ? "x" : `*${names[index - 1]}`);
      return `${name}: &${name} [${items.join(",")}]`;
    })
    .join("\n");
}

function mergeBomb(): string {
  const names = "abcdefghij".split("");
  const line = (name: string, index: number): string =>
    index === 0 ? `${name}: &${name} {x: 1}` : `${name}: &${name} {<<: [*${names[index - 1]}, *a]}`;
  return names.map((name, index) => line(name, index)).join("\n");
}

function staircase(): string {
  return Array.from({ length: 500 }, (_, index) => `${" ".repeat(index)}a:`).join("\n");
}

function placeholderBomb(): string {
  const lines = Array.from(
    { length: 20 },
    (_, index) => `b${index + 1}=${`%(b${index})`.repeat(10)}`,
  );
  return `${INI}b0=xxxxxxxxxx\n${lines.join("\n")}\nchdir=%(b20)\n`;
}

function placeholderCopies(): string {
  return `${INI}a=${"x".repeat(60_000)}\n${"env=A=%(a)\n".repeat(80_000)}`;
}

function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
