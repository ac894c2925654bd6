/** The last output lines of an application, bounded so that they fit into one message to the emperor. */
import { oneLine } from "./log-file.ts";

const LINES_KEPT = 40;
/** Escaped four-fold at worst, 40 of them stay below LINK_LINE_MAX. */
const LINE_MAX = 300;

/** A ring of lines: what a failed start shows to people. */
export class LastLines {
  #lines: string[] = [];

  push(line: string): void {
    const cut = line.length > LINE_MAX ? `${line.slice(0, LINE_MAX)}…` : line;
    this.#lines.push(oneLine(cut));
    if (this.#lines.length > LINES_KEPT) this.#lines.shift();
  }

  /** Oldest first. */
  all(): readonly string[] {
    return [...this.#lines];
  }
}
