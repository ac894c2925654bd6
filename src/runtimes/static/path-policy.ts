/**
 * Which file below the root a request target names. Decoded exactly once; whatever could mean another file to
 * another program (dots, encoded slashes, backslashes, NUL, ill-formed UTF-8) is refused, never repaired.
 */

export type MappedPath =
  | {
      readonly kind: "path";
      /** Non-empty names, none of them "." or ".."; empty for the root itself. */
      readonly segments: readonly string[];
      /** The target ended in a slash (or was the root): it means a directory. */
      readonly directory: boolean;
      /** From "?" on, as sent, or "". */
      readonly query: string;
    }
  | { readonly kind: "refused"; readonly status: 400 | 404; readonly reason: string };

/** The longest name most Linux file systems have. */
const NAME_BYTES = 255;
const PATH_BYTES = 4095;

/**
 * @example mapTarget("/a%20b/?x=1") => { kind: "path", segments: ["a b"], directory: true, query: "?x=1" }
 * @example mapTarget("/%2e%2e/etc/passwd") => { kind: "refused", status: 400, … }
 */
export function mapTarget(target: string): MappedPath {
  if (!target.startsWith("/")) return refuse(400, "the target is not a path");
  const cut = target.search(/[?#]/);
  const path = cut < 0 ? target : target.slice(0, cut);
  const query = cut < 0 || target[cut] === "#" ? "" : target.slice(cut).replace(/#.*$/s, "");
  if (/%2f|%5c|\\/i.test(path)) return refuse(404, "a name holds a slash or a backslash");
  const segments: string[] = [];
  for (const raw of path.split("/")) {
    if (raw === "") continue; // Repeated slashes are one, as everywhere on Unix.
    const name = decodeName(raw);
    if (name === undefined) return refuse(400, "the path is not percent-encoded UTF-8");
    const problem = nameProblem(name);
    if (problem !== undefined) return problem;
    segments.push(name);
  }
  if (path.length > 3 * PATH_BYTES || Buffer.byteLength(segments.join("/")) > PATH_BYTES) {
    return refuse(404, "the path is longer than a path can be");
  }
  return { kind: "path", segments, directory: path.endsWith("/"), query };
}

/**
 * The Location of a directory asked for without its slash: a path of this host, whatever was asked. Names are encoded
 * anew and never empty, so it cannot begin with "//".
 */
export function slashLocation(segments: readonly string[], query: string): string {
  const path = segments.map((name) => `/${encodeURIComponent(name)}`).join("");
  return `${path}/${query.replace(/[^!-~]/g, encodeURIComponent)}`;
}

/** Hidden names are never served, except the registered place for them (RFC 8615). */
export function isHidden(segments: readonly string[]): boolean {
  return segments.some(
    (name, index) => name.startsWith(".") && !(index === 0 && name === ".well-known"),
  );
}

function nameProblem(name: string): MappedPath | undefined {
  if (name === "." || name === "..") return refuse(400, "the path holds a dot segment");
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(name)) return refuse(400, "the path holds a control character");
  if (Buffer.byteLength(name) > NAME_BYTES) return refuse(404, "a name is too long");
  return undefined;
}

function decodeName(raw: string): string | undefined {
  // A target is latin1: bytes above 0x7f are text of an encoding nobody named.
  // oxlint-disable-next-line no-control-regex -- everything outside ASCII is what is looked for
  if (/[^\u0000-\u007f]/.test(raw)) return undefined;
  if (!raw.includes("%")) return raw;
  try {
    return decodeURIComponent(raw); // Refuses overlong forms, surrogates and cut sequences.
  } catch {
    return undefined;
  }
}

function refuse(status: 400 | 404, reason: string): MappedPath {
  return { kind: "refused", status, reason };
}
