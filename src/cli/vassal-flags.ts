/** `--key value`, `--key=value` and bare `--key` to keys and values; what they mean is the option table's affair. Pure. */
import type { FlagSpec } from "../config/flags.ts";
import { TsgiError } from "../core/errors.ts";

/**
 * Values per flag, in order; an empty value is a bare flag. Unknown names are passed on, because the loader knows the
 * aliases and what was meant.
 *
 * @example parseFlags(["--workers", "4", "--listen=:80"], flags) => Map { workers => ["4"], listen => [":80"] }
 */
export function parseFlags(
  parameters: readonly string[],
  known: readonly Pick<FlagSpec, "name" | "bare">[],
): ReadonlyMap<string, readonly string[]> {
  const bare = new Set(known.filter((flag) => flag.bare).map((flag) => flag.name));
  const found = new Map<string, string[]>();
  for (let index = 0; index < parameters.length; index += 1) {
    const parameter = parameters[index] ?? "";
    const match = /^--([^=]+)(?:=(.*))?$/s.exec(parameter);
    const name = match?.[1];
    if (name === undefined) {
      throw new TsgiError("TSGI_USAGE", `Cannot read "${parameter}": a flag begins with --`);
    }
    let value = match?.[2] ?? "";
    const next = parameters[index + 1];
    if (match?.[2] === undefined && next !== undefined && takesNext(next, bare.has(name))) {
      value = next;
      index += 1;
    }
    found.set(name, [...(found.get(name) ?? []), value]);
  }
  return found;
}

/** A switch takes the next word only when that can be its value. */
function takesNext(next: string, isSwitch: boolean): boolean {
  return isSwitch ? /^(true|false)$/.test(next) : !next.startsWith("--");
}
