/** Looks over YAML's syntax tokens and refuses what must not reach the recursive part of the parser. */
import type { Place } from "../problem.ts";
import { MAX_DEPTH } from "./json.ts";
import { SyntaxProblem } from "./source-text.ts";

/** Depth, tags and directives, over the token tree, without recursion. */
export function inspectTokens(tokens: readonly unknown[], place: (offset: number) => Place): void {
  const open: { token: unknown; depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (typeof token !== "object" || token === null) continue;
    const node = token as Partial<Record<string, unknown>>;
    const offset = typeof node["offset"] === "number" ? node["offset"] : 0;
    if (depth > MAX_DEPTH * 3) tooDeep(place(offset));
    if (node["type"] === "tag") {
      throw new SyntaxProblem(place(offset), "tags ('!…') are not allowed", "remove the tag");
    }
    if (node["type"] === "directive") {
      throw new SyntaxProblem(
        place(offset),
        "directives ('%…') are not allowed",
        "remove the line",
      );
    }
    if (node["type"] === "double-quoted-scalar") {
      const bad = badEscape(String(node["source"]));
      if (bad !== undefined) {
        throw new SyntaxProblem(
          place(offset + bad),
          "a text in double quotes contains a bad escape",
          "write \\\\ for a backslash, or use single quotes",
        );
      }
    }
    for (const part of ["start", "items", "sep", "key", "value", "props"]) {
      const child = node[part];
      const children: readonly unknown[] = Array.isArray(child) ? child : [child];
      for (const one of children) {
        if (typeof one === "object" && one !== null) open.push({ token: one, depth: depth + 1 });
      }
    }
  }
}

/** Offset of the first escape that YAML does not know: the package makes an error object for each of a million. */
function badEscape(source: string): number | undefined {
  for (const match of source.matchAll(ESCAPE)) if (match[1] === undefined) return match.index;
  return undefined;
}

const ESCAPE = /\\([0abefnrtvN_LP "/\\\t\r\n]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})?/g;

export function tooDeep(at: Place): never {
  throw new SyntaxProblem(at, `the nesting is deeper than ${MAX_DEPTH}`, "flatten the file");
}
