/** The only user of the yaml package: YAML 1.2 text to raw values with positions, without tags, merges, bombs or depth. */
import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, Parser } from "yaml";
import type { CST, Document, ParsedNode, Scalar } from "yaml";
import type { Place } from "../problem.ts";
import { quoteValue } from "../problem.ts";
import type { RawEntry, RawMap, RawValue } from "../raw-value.ts";
import { MAX_DEPTH } from "./json.ts";
import { SyntaxProblem } from "./source-text.ts";
import { inspectTokens, tooDeep } from "./yaml-inspection.ts";

/** Lexical items of one file; 10,000 lines of a mapping have about that many. */
const MAX_LEXEMES = 50_000;
/** Values that anchors may add to what is written. */
const MAX_ALIASED_VALUES = 10_000;

/** The top-level mapping of a YAML text. Throws SyntaxProblem. */
export function readYaml(text: string): RawMap {
  const lines = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  try {
    const tokens = scan(text, lines, place);
    // Duplicate keys are looked for below, in linear time.
    const composer = new Composer({
      uniqueKeys: false,
      strict: true,
      merge: false,
      schema: "core",
    });
    const documents = [...composer.compose(tokens, true, text.length)];
    const [document] = documents;
    if (document === undefined) throw new SyntaxProblem(place(0), "the file has no content", EMPTY);
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) {
      const message = problem.message.split(" at line ", 1)[0] ?? "";
      throw new SyntaxProblem(place(problem.pos[0]), lowerFirst(message), "correct the YAML");
    }
    if (documents.length > 1) {
      throw new SyntaxProblem(
        place(documents[1]?.range[0] ?? 0),
        "the file has more than one document",
        "keep one vassal in a file, without '---' lines between",
      );
    }
    return topMap(document, place);
  } catch (error) {
    if (error instanceof SyntaxProblem) throw error;
    // Whatever a parser throws on hostile text becomes a located problem (CVE-2023-2251).
    throw new SyntaxProblem({ line: 1, column: 1 }, "the YAML cannot be read", "simplify the file");
  }
}

const EMPTY = "write at least 'listen' and one application key, see 'tsgi-emperor explain'";

/** Runs the lexer and the iterative parser, and refuses what must not reach the recursive composer. */
function scan(text: string, lines: LineCounter, place: (offset: number) => Place): CST.Token[] {
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  let lexemes = 0;
  let offset = 0;
  let flowDepth = 0;
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    if (lexeme === "{" || lexeme === "[") flowDepth += 1;
    if (lexeme === "}" || lexeme === "]") flowDepth -= 1;
    if (lexemes > MAX_LEXEMES) {
      throw new SyntaxProblem(place(offset), "the file has too many values", "shorten it");
    }
    if (flowDepth > MAX_DEPTH) tooDeep(place(offset));
    for (const token of parser.next(lexeme)) tokens.push(token);
    if (!LENGTHLESS.has(lexeme)) offset += lexeme.length;
  }
  for (const token of parser.end()) tokens.push(token);
  inspectTokens(tokens, place);
  return tokens;
}

/** Marks of the lexer that stand for no characters: byte order mark aside, they are single control characters. */
const LENGTHLESS: ReadonlySet<string> = new Set(["\u0002", "\u0018", "\u001f"]);

interface Walk {
  readonly place: (offset: number) => Place;
  readonly anchors: Map<string, RawValue | "open">;
  aliased: number;
}

function topMap(document: Document.Parsed, place: (offset: number) => Place): RawMap {
  const walk: Walk = { place, anchors: new Map(), aliased: 0 };
  if (document.contents === null)
    throw new SyntaxProblem(place(0), "the file has no content", EMPTY);
  const value = toRaw(document.contents, walk, 0);
  if (value.kind === "map") return value;
  if (value.kind === "scalar" && value.type === "null") {
    throw new SyntaxProblem(value.at, "the file has no content", EMPTY);
  }
  throw new SyntaxProblem(
    value.at,
    "the file is not a mapping of keys",
    "write lines such as 'listen: http://127.0.0.1:8080'",
  );
}

function toRaw(node: ParsedNode, walk: Walk, depth: number): RawValue {
  const at = walk.place(node.range[0]);
  if (depth > MAX_DEPTH) tooDeep(at);
  if (isAlias(node)) return aliasedValue(node.source, at, walk);
  const { anchor } = node;
  if (anchor !== undefined) walk.anchors.set(anchor, "open");
  const value = toRawUnnamed(node, at, walk, depth);
  if (anchor !== undefined) walk.anchors.set(anchor, value);
  return value;
}

function toRawUnnamed(
  node: Exclude<ParsedNode, { source: string; type?: undefined } & { anchor: never }>,
  at: Place,
  walk: Walk,
  depth: number,
): RawValue {
  if (isMap(node)) return { kind: "map", entries: toEntries(node.items, walk, depth), at };
  if (isSeq(node)) {
    return {
      kind: "list",
      items: node.items.map((item) => toRaw(item, walk, depth + 1)),
      at,
    };
  }
  return scalarOf(node as Scalar.Parsed, at);
}

function toEntries(
  items: readonly { key: unknown; value: unknown }[],
  walk: Walk,
  depth: number,
): RawEntry[] {
  const entries: RawEntry[] = [];
  const seen = new Set<string>();
  for (const item of items) {
    const keyNode = item.key as ParsedNode;
    const at = walk.place(keyNode.range[0]);
    if (!isScalar(keyNode)) throw new SyntaxProblem(at, "a key is not plain text", "write a name");
    const key = scalarOf(keyNode, at).text;
    if (key === "<<") {
      throw new SyntaxProblem(at, "merge keys ('<<') are not allowed", "write the keys out");
    }
    if (seen.has(key)) {
      throw new SyntaxProblem(
        at,
        `the key '${quoteValue(key)}' is given twice`,
        "keep one of them",
      );
    }
    seen.add(key);
    const value: RawValue =
      item.value === null
        ? { kind: "scalar", type: "null", text: "", at }
        : toRaw(item.value as ParsedNode, walk, depth + 1);
    entries.push({ key, at, value });
  }
  return entries;
}

function scalarOf(node: Scalar.Parsed, at: Place): RawValue & { kind: "scalar" } {
  const { value } = node;
  if (typeof value === "string") return { kind: "scalar", type: "string", text: value, at };
  const text = node.source;
  if (value === null) return { kind: "scalar", type: "null", text, at };
  const type = typeof value === "boolean" ? "boolean" : "number";
  return { kind: "scalar", type, text, at };
}

function aliasedValue(name: string, at: Place, walk: Walk): RawValue {
  const value = walk.anchors.get(name);
  if (value === undefined) {
    throw new SyntaxProblem(
      at,
      `the anchor '&${quoteValue(name)}' is not defined`,
      "define it above",
    );
  }
  if (value === "open") {
    throw new SyntaxProblem(
      at,
      `the anchor '&${quoteValue(name)}' contains itself`,
      "remove the alias",
    );
  }
  walk.aliased += countValues(value, MAX_ALIASED_VALUES - walk.aliased);
  if (walk.aliased >= MAX_ALIASED_VALUES) {
    throw new SyntaxProblem(at, "aliases multiply the file beyond its bounds", "write values out");
  }
  return value;
}

/** Values inside a value, counted up to `limit`. */
function countValues(value: RawValue, limit: number): number {
  const open = [value];
  let count = 0;
  for (let next = open.pop(); next !== undefined && count < limit; next = open.pop()) {
    count += 1;
    if (next.kind === "list") for (const item of next.items) open.push(item);
    if (next.kind === "map") for (const entry of next.entries) open.push(entry.value);
  }
  return count;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
