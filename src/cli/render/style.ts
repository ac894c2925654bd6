/** Colour, where a person looks at a terminal and did not switch it off (no-color.org). */

export type Paint = (text: string) => string;

export interface Style {
  readonly good: Paint;
  readonly warn: Paint;
  readonly bad: Paint;
  readonly faint: Paint;
  readonly bold: Paint;
}

const plain: Paint = (text) => text;

export const PLAIN: Style = { good: plain, warn: plain, bad: plain, faint: plain, bold: plain };

const ansi =
  (code: number): Paint =>
  (text) =>
    text === "" ? "" : `\u001b[${code}m${text}\u001b[0m`;

export const COLOURED: Style = {
  good: ansi(32),
  warn: ansi(33),
  bad: ansi(31),
  faint: ansi(2),
  bold: ansi(1),
};

export function styleFor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Style {
  const off = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb";
  return stream.isTTY === true && !off ? COLOURED : PLAIN;
}
