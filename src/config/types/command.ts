/** A program and its arguments: a list, or a text split at white space and quotes. Never a shell. */
import type { OptionType, ReadContext } from "../option.ts";
import { quoteValue } from "../problem.ts";
import type { RawValue } from "../raw-value.ts";
import { readScalar } from "./scalars.ts";

const LABEL = "a program with its arguments, as text or as a list";
const MAX_ARGUMENTS = 1000;
const MAX_ARGUMENT_LENGTH = 128 * 1024 - 1;

export const command: OptionType<readonly string[]> = {
  label: LABEL,
  word: "command",
  schema: {
    anyOf: [
      { type: "string", minLength: 1 },
      {
        type: "array",
        items: { type: ["string", "number"] },
        minItems: 1,
        maxItems: MAX_ARGUMENTS,
      },
    ],
  },
  read(value, context) {
    let argv: string[] = [];
    if (value.kind === "list") {
      for (const item of value.items) {
        const scalar = readScalar(item, context, "one argument");
        if (scalar === undefined) return undefined;
        argv.push(scalar.text);
      }
    } else {
      const scalar = readScalar(value, context, LABEL);
      if (scalar === undefined) return undefined;
      if (scalar.text.length > MAX_ARGUMENT_LENGTH) return tooLong(value, context);
      const split = splitCommand(scalar.text);
      if (split === undefined) {
        return context.fail(
          value,
          `'${quoteValue(scalar.text)}' has a quote that is not closed`,
          "close the quote, or write a list: [program, argument]",
        );
      }
      argv = split;
    }
    if (argv.length === 0 || argv[0] === "") {
      return context.fail(value, "the command is empty", "name a program");
    }
    if (
      argv.length > MAX_ARGUMENTS ||
      argv.some((argument) => argument.length > MAX_ARGUMENT_LENGTH)
    ) {
      return tooLong(value, context);
    }
    if (argv.some((argument) => argument.includes("\0"))) {
      return context.fail(value, "the command contains a NUL byte", "remove it");
    }
    return argv;
  },
  show: (argv) => JSON.stringify(argv),
};

function tooLong(value: RawValue, context: ReadContext): undefined {
  return context.fail(
    value,
    "the command is longer than the kernel takes",
    "pass the data in a file",
  );
}

/**
 * Words of a command: split at white space; '…' and "…" keep white space, and a backslash takes the next character as it
 * is (not inside '…'). Nothing is expanded. Undefined when a quote stays open.
 *
 * @example splitCommand(`./app --title "two words"`) => ["./app", "--title", "two words"]
 */
export function splitCommand(source: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < source.length; at += 1) {
    const character = source.charAt(at);
    if (character === "\\" && quote !== "'") {
      at += 1;
      if (at >= source.length) return undefined;
      word = (word ?? "") + source.charAt(at);
    } else if (quote !== "") {
      if (character === quote) quote = "";
      else word = (word ?? "") + character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= "";
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (quote !== "") return undefined;
  if (word !== undefined) words.push(word);
  return words;
}
