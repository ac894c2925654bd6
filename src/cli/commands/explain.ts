/** `explain [KEY]`: reference text of the keys, from the option table. */
import { explainAll, explainKey, unknownKeyText } from "../../config/manual.ts";
import { EXIT } from "../../core/exit-codes.ts";

export interface TextResult {
  /** For standard output, or standard error when the exit code is not 0. */
  readonly text: string;
  readonly exitCode: number;
}

export function explain(key?: string): TextResult {
  if (key === undefined) return { text: explainAll(), exitCode: EXIT.done };
  const text = explainKey(key);
  if (text === undefined) return { text: unknownKeyText(key), exitCode: EXIT.usage };
  return { text, exitCode: EXIT.done };
}
