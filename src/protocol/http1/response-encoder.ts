/** Response heads as text for the wire, and the checks that keep an application from splitting a response. */
import { TOKEN_BYTES, VALUE_BYTES, isWithin, listHas, parseContentLength } from "./grammar.ts";

/** Reason phrases of the registered status codes (RFC 9110 §15 and later). */
export const STATUS_REASONS: Readonly<Record<number, string>> = {
  100: "Continue",
  101: "Switching Protocols",
  102: "Processing",
  103: "Early Hints",
  200: "OK",
  201: "Created",
  202: "Accepted",
  203: "Non-Authoritative Information",
  204: "No Content",
  205: "Reset Content",
  206: "Partial Content",
  207: "Multi-Status",
  208: "Already Reported",
  226: "IM Used",
  300: "Multiple Choices",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  305: "Use Proxy",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  407: "Proxy Authentication Required",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  418: "I'm a Teapot",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  423: "Locked",
  424: "Failed Dependency",
  425: "Too Early",
  426: "Upgrade Required",
  428: "Precondition Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  451: "Unavailable For Legal Reasons",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  506: "Variant Also Negotiates",
  507: "Insufficient Storage",
  508: "Loop Detected",
  510: "Not Extended",
  511: "Network Authentication Required",
};

const STATUS_LINES = new Map<number, string>();

/** "HTTP/1.1 200 OK\r\n". An empty or absent reason is replaced by the registered one. Throws RangeError for bad bytes. */
export function statusLine(status: number, reason?: string): string {
  const registered = STATUS_REASONS[status] ?? "";
  if (reason === undefined || reason === "" || reason === registered) {
    const known = STATUS_LINES.get(status);
    if (known !== undefined) return known;
    const line = `HTTP/1.1 ${status} ${registered}\r\n`;
    STATUS_LINES.set(status, line);
    return line;
  }
  if (!isWithin(VALUE_BYTES, reason)) {
    throw new RangeError(
      `Cannot send a reason phrase: ${JSON.stringify(reason)} has control bytes`,
    );
  }
  return `HTTP/1.1 ${status} ${reason}\r\n`;
}

/** Headers of an application as lines, and what the front has to know about them. */
export interface ResponseLines {
  /** "Name: value\r\n" each. */
  readonly text: string;
  /** The Content-Length among them, which `text` does not hold any more; -1 when there is none. */
  readonly contentLength: number;
  readonly hasDate: boolean;
  readonly hasServer: boolean;
  /** The application asked for `Connection: close`. */
  readonly close: boolean;
}

/** Framing and connection are the front's: what an application says about them is left out (RFC 9110 §7.6.1). */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "te",
  "upgrade",
]);

/**
 * Flat headers as lines. Throws RangeError for a name that is no token, for CR, LF, NUL or other control bytes, for characters
 * outside latin1, and for a Content-Length that is not one number.
 */
export function encodeFields(headers: readonly string[]): ResponseLines {
  let text = "";
  let contentLength = -1;
  let hasDate = false;
  let hasServer = false;
  let close = false;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? "";
    const value = headers[index + 1] ?? "";
    checkField(name, value);
    const lower = name.toLowerCase();
    if (lower === "content-length") {
      contentLength = onlyLength(contentLength, value);
    } else if (HOP_BY_HOP.has(lower)) {
      close ||= lower === "connection" && listHas(value, "close");
    } else {
      hasDate ||= lower === "date";
      hasServer ||= lower === "server";
      text += `${name}: ${value}\r\n`;
    }
  }
  return { text, contentLength, hasDate, hasServer, close };
}

function checkField(name: string, value: string): void {
  if (name === "" || !isWithin(TOKEN_BYTES, name)) {
    throw new RangeError(`Cannot send a header: ${JSON.stringify(name)} is not a header name`);
  }
  if (!isWithin(VALUE_BYTES, value)) {
    throw new RangeError(
      `Cannot send header "${name}": its value has CR, LF, NUL, another control byte or no latin1`,
    );
  }
}

function onlyLength(earlier: number, value: string): number {
  const length = parseContentLength(value.trim());
  if (length === undefined || (earlier !== -1 && earlier !== length)) {
    throw new RangeError(
      `Cannot send header "Content-Length": ${JSON.stringify(value)} is no length`,
    );
  }
  return length;
}

const FRONT_FIELDS = /^(?:content-length|date|server)[ \t]*:[ \t]*(.*?)[ \t]*\r\n/gim;

/**
 * The same for lines that a container has already checked. Only the three headers that the front would otherwise repeat
 * are looked for.
 */
export function inspectLines(lines: string): ResponseLines {
  let contentLength = -1;
  let hasDate = false;
  let hasServer = false;
  const text = lines.replace(FRONT_FIELDS, (line, value: string) => {
    const initial = line.charCodeAt(0) | 32;
    if (initial === 99) {
      contentLength = onlyLength(contentLength, value);
      return "";
    }
    if (initial === 100) hasDate = true;
    else hasServer = true;
    return line;
  });
  return { text, contentLength, hasDate, hasServer, close: false };
}

/** True for the statuses that never have a body (RFC 9110 §6.4.1). */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 304 || status < 200;
}
