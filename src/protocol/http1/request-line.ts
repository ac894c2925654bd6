/** The request line (RFC 9112 §3): method, target in its four forms, version. */
import type { ProtocolErrorCode } from "../codec.ts";
import { METHOD_MAX } from "../limits.ts";
import { TARGET_BYTES, TOKEN_BYTES, isHost, spanOf } from "./grammar.ts";

const SP = 32;
const SLASH = 47;
const CR = 13;

export interface RequestLine {
  readonly method: string;
  /** Origin-form or "*". */
  readonly target: string;
  readonly minor: 0 | 1;
  /** The authority of an absolute-form target, which replaces the Host. */
  readonly authority: string | undefined;
}

/** Reads text[start, end), without its CRLF. */
export function parseRequestLine(
  text: string,
  start: number,
  end: number,
): RequestLine | ProtocolErrorCode {
  const methodEnd = spanOf(TOKEN_BYTES, text, start, end);
  if (methodEnd === end) return "bad-request-line";
  if (text.charCodeAt(methodEnd) !== SP) {
    return text.charCodeAt(methodEnd) === CR ? "bare-cr" : "bad-method";
  }
  if (methodEnd === start) return "bad-request-line";
  const targetEnd = spanOf(TARGET_BYTES, text, methodEnd + 1, end);
  if (targetEnd === end) return "bad-request-line";
  if (text.charCodeAt(targetEnd) !== SP) {
    return text.charCodeAt(targetEnd) === CR ? "bare-cr" : "bad-target";
  }
  if (targetEnd === methodEnd + 1) return "bad-request-line";
  const minor = minorVersion(text, targetEnd + 1, end);
  if (typeof minor === "string") return minor;
  if (methodEnd - start > METHOD_MAX) return "method-too-long";
  const method = text.slice(start, methodEnd);
  const target = text.slice(methodEnd + 1, targetEnd);
  if (method === "CONNECT") return "connect-refused";
  if (target.charCodeAt(0) === SLASH) return { method, target, minor, authority: undefined };
  return otherForm(method, target, minor);
}

function minorVersion(text: string, start: number, end: number): 0 | 1 | ProtocolErrorCode {
  if (end - start === 8 && text.startsWith("HTTP/1.", start)) {
    const digit = text.charCodeAt(end - 1);
    if (digit === 49) return 1;
    if (digit === 48) return 0;
  }
  return /^HTTP\/\d\.\d$/.test(text.slice(start, end)) ? "bad-version" : "bad-request-line";
}

/** Asterisk-form, or absolute-form turned into origin-form plus authority (RFC 9112 §3.2.2, §3.2.4). */
function otherForm(method: string, target: string, minor: 0 | 1): RequestLine | ProtocolErrorCode {
  if (target === "*") {
    return method === "OPTIONS" ? { method, target, minor, authority: undefined } : "bad-target";
  }
  const absolute = /^https?:\/\/([^/?]+)(.*)$/i.exec(target);
  const authority = absolute?.[1];
  if (authority === undefined || !isHost(authority)) return "bad-target";
  const rest = absolute?.[2] ?? "";
  if (rest === "") return { method, target: method === "OPTIONS" ? "*" : "/", minor, authority };
  return { method, target: rest.startsWith("/") ? rest : `/${rest}`, minor, authority };
}
