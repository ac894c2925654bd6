/** The last output lines of an application, bounded in number and size. */

const LINES_KEPT = 60;
const LINE_MAX = 500;

/** A ring of lines: what a failed start shows to people. */
export class LastLines {
  #lines: string[] = [];

  push(line: string): void {
    this.#lines.push(line.length > LINE_MAX ? `${line.slice(0, LINE_MAX)}…` : line);
    if (this.#lines.length > LINES_KEPT) this.#lines.shift();
  }

  /** Oldest first. */
  all(): readonly string[] {
    return [...this.#lines];
  }
}
