/** THE option table: every option of vassal files and of the emperor, family by family. */
import type { OptionSpec, Scope } from "../option.ts";
import { flatName } from "../option.ts";
import * as application from "./application.ts";
import * as emperor from "./emperor.ts";
import * as http from "./http.ts";
import * as identity from "./identity.ts";
import { IGNORED_OPTIONS } from "./ignored.ts";
import { LATER_OPTIONS } from "./later.ts";
import * as lifecycle from "./lifecycle.ts";
import * as listen from "./listen.ts";
import * as logging from "./logging.ts";
import * as staticFiles from "./static.ts";
import * as workers from "./workers.ts";

export const OPTIONS: readonly OptionSpec<unknown>[] = [
  listen,
  application,
  workers,
  lifecycle,
  http,
  staticFiles,
  identity,
  logging,
  emperor,
]
  .flatMap((family): OptionSpec<unknown>[] => Object.values(family))
  .concat(IGNORED_OPTIONS, LATER_OPTIONS);

/** One spelling of an option: its name, its flat name, or an alias with its own way of reading. */
export interface Spelling {
  readonly spec: OptionSpec<unknown>;
  readonly type: OptionSpec<unknown>["type"];
}

/** All spellings of one scope, and the keys that may hold a mapping of members ("http", "limits", "static"). */
export interface OptionIndex {
  readonly spellings: ReadonlyMap<string, Spelling>;
  readonly groups: ReadonlySet<string>;
}

export const INDEX: Readonly<Record<Scope, OptionIndex>> = {
  vassal: indexOf("vassal"),
  emperor: indexOf("emperor"),
};

/** Options people may use: without the ignored ones and those of later releases. */
export function usableOptions(scope: Scope): readonly OptionSpec<unknown>[] {
  return OPTIONS.filter(
    (spec) => spec.scope === scope && spec.family !== "ignored" && spec.family !== "later",
  );
}

function indexOf(scope: Scope): OptionIndex {
  const spellings = new Map<string, Spelling>();
  const groups = new Set<string>();
  const add = (name: string, spelling: Spelling): void => {
    const known = spellings.get(name);
    if (known !== undefined && known.spec !== spelling.spec) {
      throw new TypeError(`Cannot index options: "${name}" names two of them`);
    }
    if (known === undefined) spellings.set(name, spelling);
  };
  for (const spec of OPTIONS.filter((one) => one.scope === scope)) {
    for (const alias of [{ name: spec.name }, ...spec.aliases]) {
      const spelling = { spec, type: "type" in alias && alias.type ? alias.type : spec.type };
      add(alias.name, spelling);
      add(flatName(alias.name), spelling);
      const dot = alias.name.indexOf(".");
      if (dot !== -1) groups.add(alias.name.slice(0, dot));
    }
  }
  return { spellings, groups };
}
