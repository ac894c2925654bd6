/** What the application prints, as lines for the vassal's log: bounded in length, promptly, whoever wrote it. */
import { constants, openSync, unlinkSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable } from "node:stream";

const LINE_MAX = 8192;

/** Calls `line` for every line of a stream; a line that is too long comes in pieces, an unfinished last one at the end. */
export function readLines(stream: Readable, line: (text: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) cut(text, line);
    while (rest.length > LINE_MAX) {
      line(rest.slice(0, LINE_MAX));
      rest = rest.slice(LINE_MAX);
    }
  });
  stream.on("error", () => undefined);
  stream.on("close", () => {
    if (rest !== "") line(rest);
    rest = "";
  });
}

function cut(text: string, line: (text: string) => void): void {
  if (text.length <= LINE_MAX) {
    line(text);
    return;
  }
  for (let at = 0; at < text.length; at += LINE_MAX) line(text.slice(at, at + LINE_MAX));
}

/**
 * The reading end of a FIFO that a worker writes to; its name goes away. A FIFO and not a socket, because programs open
 * /dev/stdout; the writer has it open already, so nothing is lost and the open does not wait.
 */
export function openFifo(path: string): Socket | undefined {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    unlinkSync(path);
    return new Socket({ fd, readable: true, writable: false });
  } catch {
    // The worker is gone already and its scratch with it.
    return undefined;
  }
}

/** Removes a file that may be gone. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone is what it was to be.
  }
}
