/** What the header fields of a request mean for the connection: framing, persistence, host, expectation (RFC 9112 §6, §9). */
import type { ProtocolErrorCode } from "../codec.ts";
import type { BodyFraming } from "../request.ts";
import { isHost, isToken, listHas, parseContentLength, splitList } from "./grammar.ts";

export interface Framing {
  readonly body: BodyFraming;
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
  readonly upgrade: string | undefined;
  readonly host: string;
}

const NO_BODY: BodyFraming = { kind: "none" };
const CHUNKED_BODY: BodyFraming = { kind: "chunked" };

/** The few fields that matter here, each undefined when absent. */
class Noted {
  host: string | undefined;
  length: string | undefined;
  coding: string | undefined;
  connection: string | undefined;
  expect: string | undefined;
  upgrade: string | undefined;
  hasType = false;
  problem: ProtocolErrorCode | undefined;
}

/**
 * Reads the meaning of flat `fields`, or returns why the request is refused. Everything ambiguous is refused: two lengths of any
 * kind, even when they agree, are how one request is smuggled inside another.
 */
export function readFraming(fields: readonly string[], minor: 0 | 1): Framing | ProtocolErrorCode {
  const noted = new Noted();
  for (let index = 0; index < fields.length; index += 2) {
    note(noted, fields[index] ?? "", fields[index + 1] ?? "");
  }
  if (noted.problem !== undefined) return noted.problem;
  if (noted.host === undefined && minor === 1) return "missing-host";
  const host = noted.host ?? "";
  if (!isHost(host)) return "bad-host";
  const body = bodyFraming(noted, minor);
  if (typeof body === "string") return body;
  const expects = noted.expect !== undefined && minor === 1;
  if (expects && noted.expect?.toLowerCase() !== "100-continue") return "unknown-expectation";
  const connection = noted.connection;
  return {
    body,
    keepAlive: isPersistent(connection, minor),
    expectsContinue: expects && body.kind !== "none",
    upgrade:
      connection !== undefined && minor === 1 && listHas(connection, "upgrade")
        ? noted.upgrade
        : undefined,
    host,
  };
}

function note(noted: Noted, name: string, value: string): void {
  // By length first: most names end here without a comparison.
  switch (name.length) {
    case 4:
      if (name.toLowerCase() !== "host") return;
      if (noted.host !== undefined) noted.problem ??= "repeated-host";
      noted.host = value;
      return;
    case 6:
      if (name.toLowerCase() === "expect") noted.expect = join(noted.expect, value);
      return;
    case 7:
      if (name.toLowerCase() === "upgrade") noted.upgrade = join(noted.upgrade, value);
      return;
    case 10:
      if (name.toLowerCase() === "connection") noted.connection = join(noted.connection, value);
      return;
    case 12:
      if (name.toLowerCase() !== "content-type") return;
      // Two readers that pick different ones see two different bodies.
      if (noted.hasType) noted.problem ??= "repeated-content-type";
      noted.hasType = true;
      return;
    case 14:
      if (name.toLowerCase() !== "content-length") return;
      if (noted.length !== undefined) noted.problem ??= "repeated-content-length";
      noted.length = value;
      return;
    case 17:
      if (name.toLowerCase() !== "transfer-encoding") return;
      if (noted.coding !== undefined) noted.problem ??= "bad-transfer-encoding";
      noted.coding = value;
      return;
  }
}

function join(earlier: string | undefined, value: string): string {
  return earlier === undefined ? value : `${earlier}, ${value}`;
}

function bodyFraming(noted: Noted, minor: 0 | 1): BodyFraming | ProtocolErrorCode {
  if (noted.coding !== undefined) {
    if (minor === 0) return "transfer-encoding-in-1.0";
    if (noted.length !== undefined) return "both-lengths";
    if (noted.coding.toLowerCase() === "chunked") return CHUNKED_BODY;
    const codings = splitList(noted.coding);
    // "chunked" anywhere but once at the end can be read in two ways; other known forms are just not implemented.
    const isClear = codings.every(
      (coding) => isToken(coding) && coding.toLowerCase() !== "chunked",
    );
    const isFinal =
      codings.at(-1)?.toLowerCase() === "chunked" &&
      codings.slice(0, -1).every((coding) => isToken(coding) && coding.toLowerCase() !== "chunked");
    return isClear || isFinal ? "unknown-transfer-encoding" : "bad-transfer-encoding";
  }
  if (noted.length === undefined) return NO_BODY;
  const bytes = parseContentLength(noted.length);
  if (bytes === undefined) return "bad-content-length";
  return bytes === 0 ? NO_BODY : { kind: "length", bytes };
}

function isPersistent(connection: string | undefined, minor: 0 | 1): boolean {
  if (connection === undefined) return minor === 1;
  if (listHas(connection, "close")) return false;
  return minor === 1 || listHas(connection, "keep-alive");
}
