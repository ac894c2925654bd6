/** Header lines of a response, checked and ready for `Exchange.startRaw`. */

/** RFC 9110 section 5.6.2: a token. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9110 section 5.5: visible latin1, space and tab; no CR, LF or NUL. */
// oxlint-disable-next-line no-control-regex -- tab is the only control character allowed
const VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

/** The front's business, never the application's (RFC 9110 section 7.6.1). */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "transfer-encoding", "proxy-connection"]);

/** Collects lines; `contentLength` is -1 until a Content-Length came by. */
export class HeaderLines {
  text = "";
  contentLength = -1;
  hasType = false;
  /** The application said `Connection: close`. */
  close = false;

  /** Throws TypeError for a name that is no token, or a value with CR, LF, NUL or anything beyond latin1. */
  add(name: string, value: string): void {
    if (!NAME.test(name)) {
      throw new TypeError(`Cannot send header ${JSON.stringify(name)}: its name is no token`);
    }
    if (!VALUE.test(value)) {
      throw new TypeError(`Cannot send header "${name}": its value has an invalid character`);
    }
    switch (name.length) {
      case 10:
      case 16:
      case 17:
        if (HOP_BY_HOP.has(name.toLowerCase())) {
          this.close ||= name.length === 10 && /(?:^|,)\s*close\s*(?:,|$)/i.test(value);
          return;
        }
        break;
      case 12:
        this.hasType ||= name.toLowerCase() === "content-type";
        break;
      case 14:
        if (name.toLowerCase() === "content-length") {
          this.contentLength = parseLength(value);
          return;
        }
        break;
      default:
    }
    this.text += `${name}: ${value}\r\n`;
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
