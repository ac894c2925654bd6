/** Raw entries to typed values by the option table; finds every error, not only the first. */
import type { Findings } from "./findings.ts";
import type { OptionSpec, Origin, ReadContext, Scope } from "./option.ts";
import { flatName } from "./option.ts";
import type { OptionIndex, Spelling } from "./options/registry.ts";
import { INDEX } from "./options/registry.ts";
import { quoteValue } from "./problem.ts";
import type { Place } from "./problem.ts";
import type { RawEntry, RawMap, RawValue } from "./raw-value.ts";
import { rawText } from "./raw-value.ts";
import { nearest } from "./suggest.ts";
import { parseInteger } from "./types/scalars.ts";

/** One value that a file gave. */
export interface Setting {
  readonly spec: OptionSpec<unknown>;
  readonly value: unknown;
  readonly origin: Origin;
}

/** The values of one file or command line, with the defaults of the table behind them. */
export class Settings {
  readonly given = new Map<string, Setting>();
  readonly #index: OptionIndex;
  readonly #folder: string;
  readonly #findings: Findings;
  /** Options that were given, even with a bad value: a missing-key error would mislead. */
  readonly mentioned = new Map<string, Origin>();

  /** Options that an unknown key probably meant. */
  readonly suggested = new Set<string>();

  constructor(scope: Scope, folder: string, findings: Findings) {
    this.#index = INDEX[scope];
    this.#folder = folder;
    this.#findings = findings;
  }

  isKnown(key: string): boolean {
    return this.#index.spellings.has(key) || this.#index.groups.has(key);
  }

  /** The value as given, or the option's default; undefined when there is neither. */
  find<T>(spec: OptionSpec<T>): T | undefined {
    const setting = this.given.get(spec.name);
    // The value was read by this very record's type, or by an alias type of the same T.
    return setting === undefined ? spec.default : (setting.value as T);
  }

  /** The value of an option that has a default in the table. */
  get<T>(spec: OptionSpec<T>): T {
    const value = this.find(spec);
    if (value === undefined)
      throw new TypeError(`Cannot default option "${spec.name}": no default`);
    return value;
  }

  /** Reads entries written in tsgi's words, or those of a [uwsgi] section, where `listen` is the backlog. */
  read(entries: readonly RawEntry[], dialect: "tsgi" | "uwsgi"): void {
    for (const entry of entries) {
      if (this.#findings.full) return;
      const { key, value } = entry;
      if (this.#index.groups.has(key) && value.kind === "map") this.#readGroup(entry, value);
      else if (dialect === "uwsgi" && key === "listen" && isBacklog(value)) {
        this.#findings.add("warning", entry.at, {
          key,
          message: "'listen' with a number is uWSGI's queue length, which is ignored",
          fix: "the kernel's own limit (net.core.somaxconn) applies",
        });
      } else this.#readEntry(key, entry);
    }
  }

  #readGroup(entry: RawEntry, group: RawMap): void {
    for (const member of group.entries) {
      const name = `${entry.key}.${member.key}`;
      if (this.#index.spellings.has(name)) this.#readEntry(name, { ...member, key: name });
      else this.#unknown(member, entry.key);
    }
  }

  #readEntry(name: string, entry: RawEntry): void {
    const spelling = this.#index.spellings.get(name);
    if (spelling === undefined) {
      if (!this.#index.groups.has(name)) this.#unknown(entry, undefined);
      else {
        this.#findings.add("error", entry.value.at, {
          key: name,
          value: rawText(entry.value),
          message: `'${name}' is a mapping of further keys`,
          fix: `write one such as ${this.#exampleOfGroup(name)}`,
        });
      }
      return;
    }
    const { spec } = spelling;
    const origin: Origin = { key: entry.key, ...entry.at };
    const first = this.mentioned.get(spec.name);
    if (first === undefined) this.mentioned.set(spec.name, origin);
    const value = spelling.type.read(entry.value, this.#context(entry, spec));
    if (spec.family === "ignored") this.#warnIgnored(entry, spelling);
    else if (value !== undefined) this.#store(spec, value, entry, first);
  }

  #store(
    spec: OptionSpec<unknown>,
    value: unknown,
    entry: RawEntry,
    first: Origin | undefined,
  ): void {
    const known = this.given.get(spec.name);
    if (first !== undefined && spec.type.combine === undefined) {
      // Two of uWSGI's names for one thing (reload-mercy, worker-reload-mercy) may agree.
      const agrees = known !== undefined && spec.type.show(known.value) === spec.type.show(value);
      if (first.key !== entry.key && agrees) return;
      this.#findings.add("error", entry.at, {
        key: entry.key,
        message:
          first.key === entry.key
            ? `'${entry.key}' is given twice${lineText(first, ", first")}`
            : `'${entry.key}' is another name of '${first.key}', which is given too${lineText(first, "")}`,
        fix: "keep one of them",
      });
      return;
    }
    this.given.set(spec.name, {
      spec,
      value:
        known === undefined || spec.type.combine === undefined
          ? value
          : spec.type.combine(known.value, value),
      origin: known?.origin ?? { key: entry.key, ...entry.at },
    });
  }

  #warnIgnored(entry: RawEntry, { spec }: Spelling): void {
    this.#findings.add("warning", entry.at, {
      key: entry.key,
      message: `'${entry.key}' is ignored: ${spec.doc}`,
      fix: "the line can be removed",
    });
  }

  #unknown(entry: RawEntry, group: string | undefined): void {
    const prefix = group === undefined ? "" : `${group}.`;
    const names = [...this.#index.spellings.keys()]
      .filter((name) => name.startsWith(prefix))
      .map((name) => name.slice(prefix.length));
    const candidates = group === undefined ? names.concat([...this.#index.groups]) : names;
    const meant = nearest(entry.key, candidates);
    const meantSpec = this.#index.spellings.get(prefix + (meant ?? ""))?.spec;
    if (meantSpec !== undefined) this.suggested.add(meantSpec.name);
    this.#findings.add("error", entry.at, {
      key: `${prefix}${entry.key}`,
      value: rawText(entry.value),
      message: `unknown key '${quoteValue(prefix + entry.key)}'`,
      fix:
        meant === undefined
          ? "'tsgi-emperor explain' lists all keys"
          : `did you mean '${prefix}${meant}'?`,
    });
  }

  #exampleOfGroup(group: string): string {
    for (const { spec } of this.#index.spellings.values()) {
      if (spec.name.startsWith(`${group}.`) && spec.family !== "later") return spec.example;
    }
    return flatName(group);
  }

  #context(entry: RawEntry, spec: OptionSpec<unknown>): ReadContext {
    const report =
      (severity: "error" | "warning") =>
      (value: RawValue, message: string, fix: string): undefined =>
        this.#findings.add(severity, value.at, {
          key: entry.key,
          ...(spec.secret === true ? {} : { value: rawText(value) }),
          message: `${entry.key}: ${message}`,
          fix,
        });
    return { folder: this.#folder, fail: report("error"), warn: report("warning") };
  }
}

function isBacklog(value: RawValue): boolean {
  return value.kind === "scalar" && parseInteger(value.text) !== undefined;
}

function lineText(place: Place, before: string): string {
  return place.line === 0 ? "" : `${before} in line ${place.line}`;
}
