/** The request log: one finished exchange to one line of valid UTF-8, whatever the client sent. */
import { STATUS_REASONS } from "../protocol/http1/response-encoder.ts";
import { headerValue } from "../protocol/request.ts";
import type { RequestLogFormat } from "../config/vassal-config.ts";

/** What is known when an exchange is over. Strings are latin1 as they came from the wire. */
export interface LogEntry {
  readonly method: string;
  readonly target: string;
  readonly minor: 0 | 1;
  readonly headers: readonly string[];
  readonly host: string;
  readonly address: string;
  readonly status: number;
  /** Body bytes sent. */
  readonly bodyBytes: number;
  readonly requestBytes: number;
  readonly durationMs: number;
  /** True when the client was gone or the response was cut. */
  readonly aborted: boolean;
}

export type WriteEntry = (entry: LogEntry) => void;

type Field = (entry: LogEntry, wallMs: number) => string;

const COMMON = '%(addr) - - [%(ltime)] "%(method) %(uri) %(proto)" %(status) %(rsize)';
const COMBINED = `${COMMON} "%(referer)" "%(uagent)"`;

/** The writer for a format, or undefined for "none". */
export function createRequestLog(
  format: RequestLogFormat,
  writeLog: (line: string) => void,
): WriteEntry | undefined {
  if (format === "none" || format === "") return undefined;
  if (format === "json") return (entry) => writeLog(jsonLine(entry, Date.now()));
  const template = format === "common" ? COMMON : format === "combined" ? COMBINED : format;
  const fields = compile(template);
  return (entry) => {
    const wallMs = Date.now();
    let line = "";
    for (const field of fields) line += field(entry, wallMs);
    writeLog(line);
  };
}

/** One JSON object; text is decoded as UTF-8 where it is UTF-8, and no control character stands raw in it. */
export function jsonLine(entry: LogEntry, wallMs: number): string {
  const text = JSON.stringify({
    time: new Date(wallMs).toISOString(),
    address: entry.address,
    method: readable(entry.method),
    target: readable(entry.target),
    protocol: `HTTP/1.${entry.minor}`,
    host: readable(entry.host),
    status: entry.status,
    bodyBytes: entry.bodyBytes,
    requestBytes: entry.requestBytes,
    durationMs: Math.round(entry.durationMs * 1000) / 1000,
    referer: readable(headerValue(entry.headers, "referer") ?? ""),
    userAgent: readable(headerValue(entry.headers, "user-agent") ?? ""),
    ...(entry.aborted ? { aborted: true } : undefined),
  });
  // DEL, C1 controls, line and paragraph separators, and direction overrides: legal in JSON, trouble in a terminal.
  return text.replaceAll(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function readable(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8");
}

/** uWSGI's log-format: %(name) pieces with text between them; an unknown name is "-". */
function compile(template: string): readonly Field[] {
  return template.split(/(%\([^)]*\))/).map((piece): Field => {
    const name = /^%\(([^)]*)\)$/.exec(piece)?.[1];
    if (name === undefined) {
      const text = escapeText(Buffer.from(piece, "utf8").toString("latin1"), false);
      return () => text;
    }
    if (name.startsWith("var.")) return varField(name.slice(4));
    return FIELDS[name] ?? (() => "-");
  });
}

/** %(var.HTTP_X_Y): a request header by its CGI name. */
function varField(variable: string): Field {
  const lower = variable
    .replace(/^HTTP_/, "")
    .toLowerCase()
    .replaceAll("_", "-");
  return (entry) => header(entry, lower);
}

const FIELDS: Readonly<Record<string, Field>> = {
  uri: (entry) => escapeText(entry.target, true),
  method: (entry) => escapeText(entry.method, true),
  proto: (entry) => `HTTP/1.${entry.minor}`,
  host: (entry) => escapeText(entry.host, true),
  addr: (entry) => escapeText(entry.address, true),
  user: () => "-",
  uagent: (entry) => header(entry, "user-agent"),
  referer: (entry) => header(entry, "referer"),
  status: (entry) => String(entry.status),
  reason: (entry) => STATUS_REASONS[entry.status] ?? "-",
  rsize: (entry) => String(entry.bodyBytes),
  size: (entry) => String(entry.bodyBytes),
  cl: (entry) => String(entry.requestBytes),
  micros: (entry) => String(Math.round(entry.durationMs * 1000)),
  msecs: (entry) => String(Math.round(entry.durationMs)),
  secs: (entry) => (entry.durationMs / 1000).toFixed(3),
  time: (_entry, wallMs) => String(Math.floor(wallMs / 1000)),
  epoch: (_entry, wallMs) => String(Math.floor(wallMs / 1000)),
  tmsecs: (_entry, wallMs) => String(wallMs),
  tmicros: (_entry, wallMs) => String(wallMs * 1000),
  ctime: (_entry, wallMs) => new Date(wallMs).toUTCString(),
  ltime: (_entry, wallMs) => commonTime(wallMs),
  ftime: (_entry, wallMs) => new Date(wallMs).toISOString(),
  pid: () => String(process.pid),
};

function header(entry: LogEntry, lowerName: string): string {
  const value = headerValue(entry.headers, lowerName);
  return value === undefined || value === "" ? "-" : escapeText(value, true);
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** "22/Nov/2026:15:04:05 +0000", in UTC: a log that jumps with daylight saving helps nobody. */
function commonTime(wallMs: number): string {
  const iso = new Date(wallMs).toISOString();
  const month = MONTHS[Number(iso.slice(5, 7)) - 1] ?? "-";
  return `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}

/** Printable ASCII stays; everything else becomes \xHH, as do quotes and backslashes of a client (nginx's escaping). */
function escapeText(latin1: string, isForeign: boolean): string {
  const pattern = isForeign ? /[^ !#-[\]-~]/g : /[^ -~]/g;
  return latin1.replaceAll(
    pattern,
    (char) => `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}
