/** The option table as flags of `tsgi`: `--http-max-head <size>`. */
import { flatName } from "./option.ts";
import { usableOptions } from "./options/registry.ts";

export interface FlagSpec {
  /** Without dashes; also a key that `loadFlags` takes. */
  readonly name: string;
  /** The kind of value, for help: "duration", "true|false". */
  readonly word: string;
  /** A flag without a value means true. */
  readonly bare: boolean;
  readonly repeatable: boolean;
  /** One sentence. */
  readonly summary: string;
}

/** One flag for each option of a vassal file, in the order of the table. */
export function listFlags(): readonly FlagSpec[] {
  return usableOptions("vassal").map(({ name, type, doc }) => ({
    name: flatName(name),
    word: type.word,
    bare: type.word === "true|false",
    repeatable: type.combine !== undefined,
    summary: firstSentence(doc),
  }));
}

/** The first sentence without its full stop. */
export function firstSentence(doc: string): string {
  const end = doc.search(/[.:;] /);
  return (end === -1 ? doc : doc.slice(0, end)).replace(/\.$/, "");
}
