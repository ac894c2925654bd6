/** Header lines of a response, checked and ready for `Exchange.startRaw`. */

/** RFC 9110 section 5.6.2: a token. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9110 section 5.5: visible latin1, space and tab; no CR, LF or NUL. */
// oxlint-disable-next-line no-control-regex -- tab is the only control character allowed
const VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

/** The front's business, never the application's (RFC 9110 section 7.6.1). */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "transfer-encoding", "proxy-connection"]);
const HOP_BY_HOP_LENGTHS = new Set([...HOP_BY_HOP].map((name) => name.length));

/** Collects lines; `contentLength` is -1 until a Content-Length came by. */
export class HeaderLines {
  text = "";
  contentLength = -1;
  /** The application said `Connection: close`. */
  close = false;

  /** Throws TypeError for a name that is no token, or a value with CR, LF, NUL or anything beyond latin1. */
  add(name: string, value: string): void {
    if (!NAME.test(name)) {
      throw new TypeError(`Cannot send header ${JSON.stringify(name)}: its name is no token`);
    }
    this.addChecked(name, name.toLowerCase(), value);
  }

  /** As `add`, for a name that is known to be a token. */
  addChecked(name: string, lowerName: string, value: string): void {
    if (!VALUE.test(value)) {
      throw new TypeError(`Cannot send header "${name}": its value has an invalid character`);
    }
    if (lowerName === "content-length") {
      this.contentLength = parseLength(value);
    } else if (HOP_BY_HOP_LENGTHS.has(lowerName.length) && HOP_BY_HOP.has(lowerName)) {
      this.close ||= lowerName === "connection" && /(?:^|,)\s*close\s*(?:,|$)/i.test(value);
    } else {
      this.text += `${name}: ${value}\r\n`;
    }
  }
}

function parseLength(value: string): number {
  if (!/^\d{1,15}$/.test(value.trim())) {
    throw new TypeError(
      `Cannot send header "Content-Length": ${JSON.stringify(value)} is no length`,
    );
  }
  return Number(value);
}
