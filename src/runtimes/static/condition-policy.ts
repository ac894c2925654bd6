/** Conditional requests in the order of RFC 9110 §13.2.2. */
import { headerValue } from "../../protocol/request.ts";
import { parseHttpDate } from "./http-date.ts";

/** What conditions are compared with. */
export interface Validators {
  /** With quotes, and W/ when weak. */
  readonly etag: string;
  /** Whole seconds, in milliseconds. */
  readonly lastModifiedMs: number;
}

/** `proceed` without `rangeAllowed`: If-Range did not match, so a Range header is to be ignored. */
export type Condition =
  | { readonly kind: "proceed"; readonly rangeAllowed: boolean }
  | { readonly kind: "notModified" }
  | { readonly kind: "failed" };

/** For GET and HEAD. A date that is not a date is no condition. */
export function evaluateConditions(headers: readonly string[], facts: Validators): Condition {
  const ifMatch = listValue(headers, "if-match");
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, facts.etag, "strong")) return { kind: "failed" };
  } else {
    const since = dateValue(headers, "if-unmodified-since");
    if (since !== undefined && facts.lastModifiedMs > since) return { kind: "failed" };
  }
  const ifNoneMatch = listValue(headers, "if-none-match");
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, facts.etag, "weak")) return { kind: "notModified" };
  } else {
    const since = dateValue(headers, "if-modified-since");
    if (since !== undefined && facts.lastModifiedMs <= since) return { kind: "notModified" };
  }
  return { kind: "proceed", rangeAllowed: ifRangeHolds(headerValue(headers, "if-range"), facts) };
}

/** Strong comparison only: two versions must not be mixed in one file (§13.1.5). */
function ifRangeHolds(value: string | undefined, facts: Validators): boolean {
  if (value === undefined) return true;
  if (value.startsWith('"')) return value === facts.etag;
  if (facts.etag.startsWith("W/")) return false;
  return parseHttpDate(value) === facts.lastModifiedMs;
}

function matches(list: string, etag: string, comparison: "strong" | "weak"): boolean {
  if (list.trim() === "*") return true;
  if (comparison === "strong" && etag.startsWith("W/")) return false;
  const opaque = etag.replace(/^W\//, "");
  for (const match of list.matchAll(/(W\/)?("[^"]*")/g)) {
    if (match[2] === opaque && (comparison === "weak" || match[1] === undefined)) return true;
  }
  return false;
}

/** All fields of one name as one list; undefined when there is none. */
function listValue(headers: readonly string[], lowerName: string): string | undefined {
  let joined: string | undefined;
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() !== lowerName) continue;
    joined = joined === undefined ? headers[index + 1] : `${joined}, ${headers[index + 1]}`;
  }
  return joined;
}

function dateValue(headers: readonly string[], lowerName: string): number | undefined {
  const text = headerValue(headers, lowerName);
  return text === undefined ? undefined : parseHttpDate(text);
}
