/** Cuts what a program prints into lines, bounded: a line without an end must not grow in memory. */
import { StringDecoder } from "node:string_decoder";

const LINE_MAX = 8192;

export class LineSplitter {
  readonly #line: (line: string) => void;
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";

  constructor(line: (line: string) => void) {
    this.#line = line;
  }

  push(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split("\n");
    let rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line.endsWith("\r") ? line.slice(0, -1) : line);
    while (rest.length > LINE_MAX) {
      this.#line(rest.slice(0, LINE_MAX));
      rest = rest.slice(LINE_MAX);
    }
    this.#rest = rest;
  }

  /** The last line, when it has no end. */
  end(): void {
    const rest = this.#rest + this.#decoder.end();
    this.#rest = "";
    if (rest !== "") this.#line(rest);
  }
}
