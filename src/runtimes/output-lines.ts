/** A process's output as lines: bounded, and never split inside a character. */
import { StringDecoder } from "node:string_decoder";
import type { Readable } from "node:stream";

/** Longer lines come in pieces of this many characters. */
export const LINE_MAX = 8192;

/** Calls `onLine` for every line of `stream`, without its line break. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const take = (text: string): void => {
    rest += text;
    let start = 0;
    for (;;) {
      const end = rest.indexOf("\n", start);
      if (end < 0) break;
      emit(rest.slice(start, rest[end - 1] === "\r" && end > start ? end - 1 : end), onLine);
      start = end + 1;
    }
    rest = rest.slice(start);
    while (rest.length >= LINE_MAX) {
      onLine(rest.slice(0, LINE_MAX));
      rest = rest.slice(LINE_MAX);
    }
  };
  stream.on("data", (chunk: Buffer) => take(decoder.write(chunk)));
  const finish = (): void => {
    take(decoder.end());
    if (rest !== "") emit(rest, onLine);
    rest = "";
  };
  stream.on("end", finish);
  // A stream that failed has no end; what came before it counts.
  stream.on("close", finish);
  // The process is gone; what it wrote before has been read.
  stream.on("error", () => undefined);
}

function emit(line: string, onLine: (line: string) => void): void {
  for (let at = 0; at === 0 || at < line.length; at += LINE_MAX) {
    onLine(line.slice(at, at + LINE_MAX));
  }
}
