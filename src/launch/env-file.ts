/** Parses files of NAME=value lines (env-file). Nothing is expanded and nothing is executed. Pure. */

export const ENV_FILE_MAX_BYTES = 1024 ** 2;

export type EnvFile =
  | { readonly ok: true; readonly env: Readonly<Record<string, string>> }
  /** `line` counts from 1. The text of the line is not repeated: it may be a secret. */
  | { readonly ok: false; readonly line: number; readonly reason: string };

/**
 * Empty lines and lines that begin with # are skipped, `export ` in front is allowed, one pair of quotes around
 * the value is taken off; in double quotes \n, \t, \\ and \" stand for what they do in a shell's $'…'.
 *
 * @example parseEnvFile('A=1\nexport B="x y"\n') => { ok: true, env: { A: "1", B: "x y" } }
 */
export function parseEnvFile(text: string): EnvFile {
  const env: Record<string, string> = {};
  for (const [index, raw] of text
    .replace(/^\u{feff}/u, "")
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const match = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/.exec(line);
    const [, name, value] = match ?? [];
    if (name === undefined || value === undefined) return bad(index, "it is not NAME=value");
    if (value.includes("\0")) return bad(index, "it has a NUL byte");
    const plain = unquote(value);
    if (plain === undefined) return bad(index, "its quote is not closed");
    env[name] = plain;
  }
  return { ok: true, env };
}

function bad(index: number, reason: string): EnvFile {
  return { ok: false, line: index + 1, reason };
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  "\\": "\\",
  '"': '"',
  $: "$",
};

function unquote(value: string): string | undefined {
  const quote = value[0];
  if (quote !== '"' && quote !== "'") return value;
  if (value.length < 2 || !value.endsWith(quote)) return undefined;
  const inner = value.slice(1, -1);
  if (quote === "'") return inner;
  return inner.replace(/\\(.)/g, (whole, letter: string) => ESCAPES[letter] ?? whole);
}
