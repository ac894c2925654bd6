/** The errors and warnings of one file while it is read. */
import { quoteValue } from "./problem.ts";
import type { ConfigProblem, Place } from "./problem.ts";

/** Nobody reads more, and a hostile file would make a million. */
const MAX_FINDINGS = 100;

/** Errors and warnings of one file, in the order in which they were found; at most MAX_FINDINGS of each. */
export class Findings {
  readonly errors: ConfigProblem[] = [];
  readonly warnings: ConfigProblem[] = [];
  readonly #file: string;

  /** A value that was found bad once (a placeholder in it, say) is not reported again as what it looks like now. */
  #isKnown(list: readonly ConfigProblem[], at: Place, key: string | undefined): boolean {
    return (
      key !== undefined &&
      at.line > 0 &&
      list.some(
        (one) => one.line === at.line && one.column === at.column && one.key === quoteValue(key),
      )
    );
  }

  /** No more errors are listed, so that looking for them is over. */
  get full(): boolean {
    return this.errors.length > MAX_FINDINGS;
  }

  constructor(file: string) {
    this.#file = file;
  }

  add(
    severity: ConfigProblem["severity"],
    at: Place,
    what: { readonly message: string; readonly fix: string; key?: string; value?: string },
  ): undefined {
    const { message, fix, key, value } = what;
    const list = severity === "error" ? this.errors : this.warnings;
    if (list.length > MAX_FINDINGS || this.#isKnown(list, at, what.key)) return undefined;
    if (list.length === MAX_FINDINGS) {
      const last = { message: "there are more problems, which are not listed", fix: "start here" };
      list.push({ severity, file: this.#file, line: at.line, column: at.column, ...last });
      return undefined;
    }
    list.push({
      severity,
      file: this.#file,
      line: at.line,
      column: at.column,
      ...(key === undefined ? {} : { key: quoteValue(key) }),
      ...(value === undefined ? {} : { value: quoteValue(value) }),
      message,
      fix,
    });
    return undefined;
  }
}
