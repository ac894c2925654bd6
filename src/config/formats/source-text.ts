/** Bytes of a file to text: strict UTF-8, bounded, without bytes that no configuration has. */
import type { Place } from "../problem.ts";

export const MAX_FILE_BYTES = 1024 * 1024;

/** A place where a text cannot be read, thrown by format readers and caught in one place. */
export class SyntaxProblem extends Error {
  override readonly name = "SyntaxProblem";
  readonly at: Place;
  readonly fix: string;

  constructor(at: Place, message: string, fix: string) {
    super(message);
    this.at = at;
    this.fix = fix;
  }
}

const START: Place = { line: 1, column: 1 };

/** The text of a file without its byte order mark. Throws SyntaxProblem. */
export function decodeSource(bytes: Uint8Array): string {
  if (bytes.length > MAX_FILE_BYTES) {
    throw new SyntaxProblem(
      START,
      `the file has ${bytes.length} bytes, at most ${MAX_FILE_BYTES} are allowed`,
      "move data out of the configuration",
    );
  }
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw new SyntaxProblem(START, "the file is UTF-16", "save it as UTF-8");
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new SyntaxProblem(
      placeOfBadUtf8(bytes),
      "the file is not valid UTF-8 from here",
      "save it as UTF-8",
    );
  }
  const bad = FORBIDDEN.exec(text);
  if (bad !== null) {
    const code = bad[0].charCodeAt(0).toString(16).padStart(2, "0");
    throw new SyntaxProblem(
      placeAt(text, bad.index),
      `the file contains the control byte \\x${code}`,
      "remove it; a configuration is plain text",
    );
  }
  if (text.trim() === "") {
    throw new SyntaxProblem(
      START,
      "the file is empty",
      "write at least 'listen' and one application key, see 'tsgi-emperor explain'",
    );
  }
  return text;
}

/** Line and column of an offset. Linear; for one place, not for every token. */
export function placeAt(text: string, offset: number): Place {
  let line = 1;
  let start = 0;
  for (;;) {
    const next = text.indexOf("\n", start);
    if (next === -1 || next >= offset) return { line, column: offset - start + 1 };
    line += 1;
    start = next + 1;
  }
}

/** Decodes lossily up to the first replacement that the bytes do not really hold. */
function placeOfBadUtf8(bytes: Uint8Array): Place {
  let low = 0;
  let high = bytes.length;
  // The longest good prefix; a prefix may end inside a character, which `stream` allows.
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      low = middle;
    } catch {
      high = middle - 1;
    }
  }
  const good = new TextDecoder("utf-8").decode(bytes.subarray(0, low), { stream: true });
  return placeAt(good, good.length);
}

// Everything below space but tab, line feed and carriage return; DEL and C1.
// oxlint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;
