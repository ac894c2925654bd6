/** Which parts of a file a Range header asks for (RFC 9110 §14); bounded so that no header costs more than the file. */

/** Both ends are offsets inside the file, `last` included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

export type RangeDecision =
  /** Answer 200 with everything: no range, one we do not honour, or nonsense. */
  | { readonly kind: "whole" }
  | { readonly kind: "parts"; readonly ranges: readonly ByteRange[] }
  | { readonly kind: "unsatisfiable" };

/** More parts than any reader asks for; Apache's CVE-2011-3192 sent hundreds. */
const MAX_PARTS = 16;
const LONGEST_HEADER = 1024;
const WHOLE: RangeDecision = { kind: "whole" };

/**
 * Parts in the order asked for. Overlapping parts, or ones that together are not smaller than the file, are answered
 * with the whole file, as §14.2 allows.
 *
 * @example decideRanges("bytes=0-1,-1", 10) => { kind: "parts", ranges: [{ first: 0, last: 1 }, { first: 9, last: 9 }] }
 */
export function decideRanges(header: string | undefined, sizeBytes: number): RangeDecision {
  if (header === undefined || header.length > LONGEST_HEADER) return WHOLE;
  const match = /^bytes=([\d\-, \t]+)$/i.exec(header);
  if (match?.[1] === undefined) return WHOLE;
  const specs = match[1]
    .split(",")
    .map((spec) => spec.trim())
    .filter((spec) => spec !== "");
  if (specs.length === 0 || specs.length > MAX_PARTS) return WHOLE;
  const ranges: ByteRange[] = [];
  for (const spec of specs) {
    const range = parseSpec(spec, sizeBytes);
    if (range === "invalid") return WHOLE;
    if (range !== "outside") ranges.push(range);
  }
  if (ranges.length === 0) return { kind: "unsatisfiable" };
  return ranges.length > 1 && isWasteful(ranges, sizeBytes) ? WHOLE : { kind: "parts", ranges };
}

function parseSpec(spec: string, sizeBytes: number): ByteRange | "invalid" | "outside" {
  const match = /^(\d*)-(\d*)$/.exec(spec);
  const [, from = "", to = ""] = match ?? [];
  if (match === null || (from === "" && to === "")) return "invalid";
  if (from === "") {
    const length = Math.min(toOffset(to), sizeBytes);
    return length === 0 ? "outside" : { first: sizeBytes - length, last: sizeBytes - 1 };
  }
  const first = toOffset(from);
  const last = to === "" ? Number.MAX_SAFE_INTEGER : toOffset(to);
  if (last < first) return "invalid";
  return first >= sizeBytes ? "outside" : { first, last: Math.min(last, sizeBytes - 1) };
}

/** Numbers beyond any file are as good as the largest one: nothing can overflow. */
function toOffset(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}

function isWasteful(ranges: readonly ByteRange[], sizeBytes: number): boolean {
  const sorted = [...ranges].sort((left, right) => left.first - right.first);
  const overlap = sorted.some((range, index) => range.first <= (sorted[index - 1]?.last ?? -1));
  const total = ranges.reduce((sum, range) => sum + range.last - range.first + 1, 0);
  return overlap || total >= sizeBytes;
}
