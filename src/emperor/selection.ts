/** Names of vassals from what a person typed: a name, a glob, or tag:NAME. Pure. */
import { TsgiError } from "../core/errors.ts";

export interface Selectable {
  readonly name: string;
  readonly tags: readonly string[];
}

/** In the order of the fleet, each once. Throws TSGI_UNKNOWN_VASSAL for a pattern that matches nothing. */
export function selectNames(
  patterns: readonly string[],
  fleet: readonly Selectable[],
): readonly string[] {
  const chosen = new Set<string>();
  for (const pattern of patterns) {
    const matches = fleet.filter(matcherOf(pattern));
    if (matches.length === 0) throw unknown(pattern, fleet);
    for (const { name } of matches) chosen.add(name);
  }
  return fleet.map(({ name }) => name).filter((name) => chosen.has(name));
}

function matcherOf(pattern: string): (vassal: Selectable) => boolean {
  if (pattern.startsWith("tag:")) {
    const matches = globMatcher(pattern.slice("tag:".length));
    return ({ tags }) => tags.some(matches);
  }
  const matches = globMatcher(pattern);
  return ({ name }) => matches(name);
}

/** `*` and `?` only; linear in time, whatever the pattern. */
function globMatcher(glob: string): (text: string) => boolean {
  return (text) => {
    let at = 0;
    let position = 0;
    let star = -1;
    let starAt = 0;
    while (at < text.length) {
      if (glob[position] === "*") {
        star = position;
        starAt = at;
        position += 1;
      } else if (
        position < glob.length &&
        (glob[position] === "?" || glob[position] === text[at])
      ) {
        position += 1;
        at += 1;
      } else if (star >= 0) {
        position = star + 1;
        starAt += 1;
        at = starAt;
      } else {
        return false;
      }
    }
    while (glob[position] === "*") position += 1;
    return position === glob.length;
  };
}

function unknown(pattern: string, fleet: readonly Selectable[]): TsgiError {
  const names = fleet.slice(0, 5).map(({ name }) => name);
  const known =
    names.length === 0
      ? "there is none"
      : `there are ${names.join(", ")}${fleet.length > 5 ? " …" : ""}`;
  return new TsgiError("TSGI_UNKNOWN_VASSAL", `Cannot find a vassal for "${pattern}": ${known}`);
}
