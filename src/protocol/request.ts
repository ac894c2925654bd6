/** The neutral form of a request and a response head, whichever protocol they travelled by. */

/** How the end of a request body is known. */
export type BodyFraming =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" };

export interface RequestHead {
  readonly method: string;
  /** As sent: origin-form "/a?b", "*", or the path and query of an absolute-form target. */
  readonly target: string;
  /** Minor version of HTTP/1. */
  readonly minor: 0 | 1;
  /** Flat: name, value, name, value …; names as sent, values without surrounding white space, latin1. */
  readonly headers: readonly string[];
  readonly body: BodyFraming;
  /** What the client asked for; the connection may still decide to close. */
  readonly keepAlive: boolean;
  /** The client waits for "100 Continue". */
  readonly expectsContinue: boolean;
  /** The `Upgrade` token list, only when `Connection` names it. */
  readonly upgrade?: string;
  /** The Host, or authority of an absolute-form target; "" for HTTP/1.0 without one. */
  readonly host: string;
}

/** Heads of responses as an application gives them: framing and connection headers are the front's. */
export interface ResponseHead {
  readonly status: number;
  readonly reason?: string;
  /** Flat: name, value …; must not hold Connection, Keep-Alive or Transfer-Encoding. */
  readonly headers: readonly string[];
  /** Known length of the body, when Content-Length is not among the headers. */
  readonly contentLength?: number;
}

/** The value of a header (names compared without case), or undefined. Repeated ones: the first. */
export function headerValue(headers: readonly string[], lowerName: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index];
    if (
      name !== undefined &&
      name.length === lowerName.length &&
      name.toLowerCase() === lowerName
    ) {
      return headers[index + 1];
    }
  }
  return undefined;
}
