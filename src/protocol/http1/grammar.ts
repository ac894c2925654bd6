/** Bytes and lines of HTTP/1 (RFC 9110 §5, RFC 9112 §2-5), shared by requests, responses and trailers. */
import type { ProtocolErrorCode } from "../codec.ts";

const CR = 13;
const SP = 32;
const HTAB = 9;
const COLON = 58;

/** 1 for the bytes of a token: methods and header names. */
export const TOKEN_BYTES = table((code) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(chr(code)));

/** 1 for the bytes of a header value: visible ASCII, SP, HTAB and obs-text; no other control byte. */
export const VALUE_BYTES = table((code) => code === HTAB || (code >= SP && code !== 127));

/**
 * 1 for the bytes of a request target. Wider than RFC 3986 by `" \ ^ { | }` and the back quote, which browsers and people
 * with curl send raw in a query; angle brackets, "#" and bytes above ASCII are refused.
 */
export const TARGET_BYTES = table((code) => code > SP && code < 127 && !/[#<>]/.test(chr(code)));

/** 1 for the bytes of a reg-name or IPv4 address (RFC 3986 §3.2.2), without the port. */
const HOST_BYTES = table((code) => /[A-Za-z0-9\-._~%!$&'()*+,;=]/.test(chr(code)));

function table(accepts: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (accepts(code) ? 1 : 0));
}

function chr(code: number): string {
  return String.fromCharCode(code);
}

/** Index of the first character of text[start, end) that the table refuses, or `end`. The text is latin1. */
export function spanOf(bytes: Uint8Array, text: string, start: number, end: number): number {
  let index = start;
  while (index < end && bytes[text.charCodeAt(index)] === 1) index += 1;
  return index;
}

/** True for a non-empty token. */
export function isToken(text: string): boolean {
  return text.length > 0 && isWithin(TOKEN_BYTES, text);
}

/** True when all characters are in the table; characters above latin1 never are. */
export function isWithin(bytes: Uint8Array, text: string): boolean {
  return spanOf(bytes, text, 0, text.length) === text.length;
}

/**
 * Reads the header or trailer line text[start, end), without its CRLF, onto the flat list `fields`: name as sent, value without
 * surrounding white space. Returns why it is refused, or undefined.
 */
export function parseFieldLine(
  text: string,
  start: number,
  end: number,
  fields: string[],
): ProtocolErrorCode | undefined {
  const colon = spanOf(TOKEN_BYTES, text, start, end);
  if (colon === start || colon === end || text.charCodeAt(colon) !== COLON) {
    return fieldNameProblem(text, start, end, colon);
  }
  let from = colon + 1;
  while (from < end && isBlank(text.charCodeAt(from))) from += 1;
  let to = end;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  const bad = spanOf(VALUE_BYTES, text, from, to);
  if (bad !== to) return text.charCodeAt(bad) === CR ? "bare-cr" : "bad-header-value";
  fields.push(text.slice(start, colon), text.slice(from, to));
  return undefined;
}

function fieldNameProblem(
  text: string,
  start: number,
  end: number,
  stop: number,
): ProtocolErrorCode {
  if (stop === end) return "bad-header-name";
  const code = text.charCodeAt(stop);
  if (isBlank(code)) return stop === start ? "obs-fold" : "space-before-colon";
  return code === CR ? "bare-cr" : "bad-header-name";
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
}

/** True for `host`, `host:port`, `[v6]` or `[v6]:port`, or nothing at all (RFC 9110 §7.2 allows an empty Host). */
export function isHost(text: string): boolean {
  if (text.startsWith("[")) return /^\[[0-9A-Fa-f:.]{2,45}\](?::\d{0,5})?$/.test(text);
  const colon = text.indexOf(":");
  const end = colon === -1 ? text.length : colon;
  if (spanOf(HOST_BYTES, text, 0, end) !== end) return false;
  return colon === -1 || (colon > 0 && /^\d{0,5}$/.test(text.slice(colon + 1)));
}

/** The number of a Content-Length, or undefined: digits only, and small enough to count with. */
export function parseContentLength(text: string): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** True when a comma-separated list has the token (lower case). */
export function listHas(list: string, lowerToken: string): boolean {
  if (list.length === lowerToken.length) return list.toLowerCase() === lowerToken;
  return splitList(list).some((item) => item.toLowerCase() === lowerToken);
}

/** The items of a comma-separated list; only SP and HTAB around them go (String.trim takes more, such as 0xA0). */
export function splitList(list: string): readonly string[] {
  return list.split(",").map(trimBlanks);
}

/** By hand: a pattern for the end of a text takes quadratic time on a long run of blanks. */
function trimBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}
