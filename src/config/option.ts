/** The shape of one option: the record from which validation, `explain`, the JSON Schema, flags and the reference are made. */
import type { Place } from "./problem.ts";
import type { RawValue } from "./raw-value.ts";
import type { AppConfig } from "./vassal-config.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

export type Scope = "vassal" | "emperor";

/** Families in the order in which people read them. */
export const FAMILIES = {
  application: "The application",
  listen: "Where it serves",
  workers: "Workers and their recycling",
  lifecycle: "Deploys and readiness",
  http: "Limits of the HTTP front",
  static: "Static files",
  identity: "Who it runs as, and its limits",
  logging: "Logs and labels",
  emperor: "The emperor's own settings",
  ignored: "uWSGI options that are always so, or not needed",
  later: "Keys of a later release",
} as const;

export type Family = keyof typeof FAMILIES;

/** What a type may know and report while it reads a value. */
export interface ReadContext {
  /** The folder that relative paths are resolved against. */
  readonly folder: string;
  /** Records an error at the value; returns undefined so that a reader can end with it. */
  fail(value: RawValue, message: string, fix: string): undefined;
  warn(value: RawValue, message: string, fix: string): void;
}

/** How values of one kind are written, read and described. */
export interface OptionType<T> {
  /** In plain words, for people: "a duration such as 30s". */
  readonly label: string;
  /** One word for help lines: `--deadline <duration>`. */
  readonly word: string;
  readonly schema: JsonSchema;
  /** The typed value, or undefined after `context.fail`. */
  read(value: RawValue, context: ReadContext): T | undefined;
  /** How a value is written in a file, for defaults and `check --resolved`. */
  show(value: T): string;
  /** Present when a key may be repeated: joins what was read so far with the next. */
  combine?(first: T, second: T): T;
}

/** Another name of an option, nearly always uWSGI's. */
export interface Alias<T> {
  readonly name: string;
  /** What differs from the canonical key: how a bare number counts, what is inverted. */
  readonly note?: string;
  /** How values under this name are read; the option's own type when absent. */
  readonly type?: OptionType<T>;
}

export interface OptionSpec<T> {
  /** Canonical name; a dot separates the key of a nested mapping from its member ("http.max-head"). */
  readonly name: string;
  readonly scope: Scope;
  readonly family: Family;
  readonly type: OptionType<T>;
  readonly default?: T;
  /** What happens without the key, where `default` cannot say it. */
  readonly defaultText?: string;
  /** Kinds of application it has an effect for; absent: all. */
  readonly only?: readonly AppConfig["kind"][];
  /** Values may be secrets: problems name the place, never the value (they end in journals and logs). */
  readonly secret?: true;
  /** Some plain sentences: what it does, its unit, when to change it. */
  readonly doc: string;
  /** A line of YAML. */
  readonly example: string;
  readonly aliases: readonly Alias<T>[];
  readonly since: string;
}

/** Where a value came from. */
export interface Origin extends Place {
  /** The key as it was written. */
  readonly key: string;
}

/** An option of a vassal file with the parts that are nearly always the same filled in. */
export function vassalOption<T>(
  spec: Omit<OptionSpec<T>, "scope" | "since" | "aliases"> & {
    readonly aliases?: readonly Alias<T>[];
  },
): OptionSpec<T> {
  return { aliases: [], since: "0.1.0", ...spec, scope: "vassal" };
}

/** The name as a flag and as an INI key: "http.max-head" => "http-max-head". */
export function flatName(name: string): string {
  return name.replaceAll(".", "-");
}
