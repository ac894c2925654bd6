/** A request head as one NUL-separated text of CGI names and values, which a worker turns into its environment at once. */
import type { RequestHead } from "../request.ts";
import { cgiName } from "../vars.ts";

const LEFT_OUT: ReadonlySet<string> = new Set(["HTTP_TRANSFER_ENCODING", "HTTP_PROXY"]);

/** Both ends of the connection; "" and 0 for unix sockets. */
export interface Ends {
  readonly address: string;
  readonly port: number;
  readonly localAddress: string;
  readonly localPort: number;
}

/**
 * "REQUEST_METHOD NUL GET NUL …" in latin1 without a NUL at the end, or undefined when the request cannot be told this
 * way: NUL in its path. PATH_INFO is percent-decoded, repeated headers are joined (cookies with "; "), `Proxy` is left
 * out (httpoxy), and so is Transfer-Encoding, whose work is done.
 */
export function encodeEnviron(head: RequestHead, ends: Ends, secure: boolean): string | undefined {
  const { target } = head;
  const mark = target.indexOf("?");
  let path = mark < 0 ? target : target.slice(0, mark);
  if (path.includes("%")) path = percentDecode(path);
  if (path.includes("\0")) return undefined;
  let block =
    `REQUEST_METHOD\0${head.method}\0REQUEST_URI\0${target}\0PATH_INFO\0${path === "*" ? "" : path}` +
    (head.minor === 1 ? "\0SERVER_PROTOCOL\0HTTP/1.1" : "\0SERVER_PROTOCOL\0HTTP/1.0") +
    encodeEnds(ends, secure);
  if (mark >= 0) block += `\0QUERY_STRING\0${target.slice(mark + 1)}`;
  if (secure) block += "\0wsgi.url_scheme\0https\0HTTPS\0on";
  return block + encodeHeaders(head.headers);
}

function encodeEnds(ends: Ends, secure: boolean): string {
  if (ends.localAddress === "") {
    const port = secure ? "443" : "80";
    return `\0REMOTE_ADDR\0\0SERVER_NAME\0localhost\0SERVER_PORT\0${port}`;
  }
  return `\0REMOTE_ADDR\0${ends.address}\0REMOTE_PORT\0${ends.port}\0SERVER_NAME\0${ends.localAddress}\0SERVER_PORT\0${ends.localPort}`;
}

function encodeHeaders(headers: readonly string[]): string {
  const names: string[] = [];
  let text = "";
  for (let index = 0; index < headers.length; index += 2) {
    const name = cgiName(headers[index] ?? "");
    if (names.includes(name)) return joinRepeated(headers);
    names.push(name);
    if (!LEFT_OUT.has(name)) text += `\0${name}\0${headers[index + 1] ?? ""}`;
  }
  return text;
}

/** The slow way, for requests that repeat a header. */
function joinRepeated(headers: readonly string[]): string {
  const values = new Map<string, string>();
  for (let index = 0; index < headers.length; index += 2) {
    const name = cgiName(headers[index] ?? "");
    const value = headers[index + 1] ?? "";
    const before = values.get(name);
    const separator = name === "HTTP_COOKIE" ? "; " : ",";
    values.set(name, before === undefined ? value : before + separator + value);
  }
  let text = "";
  for (const [name, value] of values) {
    if (!LEFT_OUT.has(name)) text += `\0${name}\0${value}`;
  }
  return text;
}

/** Bytes as latin1 characters; a "%" that is followed by no two hex digits stays. */
export function percentDecode(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
