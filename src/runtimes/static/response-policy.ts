/** What is answered for a file that was found: status, header lines, and which bytes of it. */
import { headerValue, type RequestHead } from "../../protocol/request.ts";
import { evaluateConditions, type Validators } from "./condition-policy.ts";
import { formatHttpDate } from "./http-date.ts";
import { decideRanges, type ByteRange } from "./range-policy.ts";

/** A file, or its precompressed neighbour, ready to be described. */
export interface Representation extends Validators {
  readonly sizeBytes: number;
  readonly contentType: string;
  /** Lines that every answer about it carries: validators, caching, Vary, Content-Encoding. */
  readonly validatorLines: string;
  /** The whole head of an ordinary 200, made once. */
  readonly wholeLines: string;
}

export type BodyPart =
  | { readonly kind: "text"; readonly text: string }
  | ({ readonly kind: "bytes" } & ByteRange);

export interface StaticResponse {
  readonly status: number;
  readonly reason: string;
  /** "Name: value\r\n" each, without Content-Length. */
  readonly lines: string;
  /** -1 sends none. */
  readonly contentLength: number;
  /** Empty for HEAD, 304 and 412. */
  readonly parts: readonly BodyPart[];
}

export interface RepresentationFacts extends Validators {
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly coding: string | undefined;
  readonly cacheControl: string | undefined;
  /** Other encodings may be chosen for other clients. */
  readonly negotiated: boolean;
}

export function describeFile(facts: RepresentationFacts): Representation {
  const validatorLines =
    `ETag: ${facts.etag}\r\nLast-Modified: ${formatHttpDate(facts.lastModifiedMs)}\r\n` +
    (facts.cacheControl === undefined ? "" : `Cache-Control: ${facts.cacheControl}\r\n`) +
    (facts.negotiated ? "Vary: Accept-Encoding\r\n" : "");
  const encodingLine = facts.coding === undefined ? "" : `Content-Encoding: ${facts.coding}\r\n`;
  const wholeLines = `Content-Type: ${facts.contentType}\r\n${validatorLines}${encodingLine}Accept-Ranges: bytes\r\n`;
  const { sizeBytes, contentType, etag, lastModifiedMs } = facts;
  return { sizeBytes, contentType, etag, lastModifiedMs, validatorLines, wholeLines };
}

/** For GET and HEAD of an existing file. */
export function planResponse(head: RequestHead, file: Representation): StaticResponse {
  const condition = evaluateConditions(head.headers, file);
  if (condition.kind === "notModified") return notModified(file);
  if (condition.kind === "failed") return bare(412, "Precondition Failed", file.validatorLines);
  const isHead = head.method === "HEAD";
  // Only GET has ranges (RFC 9110 §14.2).
  const range = isHead || !condition.rangeAllowed ? undefined : headerValue(head.headers, "range");
  const decision = decideRanges(range, file.sizeBytes);
  if (decision.kind === "unsatisfiable") {
    const lines = `Content-Range: bytes */${file.sizeBytes}\r\n${file.validatorLines}`;
    return bare(416, "Range Not Satisfiable", lines);
  }
  if (decision.kind === "parts") return partial(file, decision.ranges);
  const parts: readonly BodyPart[] =
    isHead || file.sizeBytes === 0 ? [] : [{ kind: "bytes", first: 0, last: file.sizeBytes - 1 }];
  return {
    status: 200,
    reason: "OK",
    lines: file.wholeLines,
    contentLength: file.sizeBytes,
    parts,
  };
}

/** A Content-Length here would be that of the 200 (RFC 9110 §8.6); none is simpler and always true. */
function notModified(file: Representation): StaticResponse {
  return { ...bare(304, "Not Modified", file.validatorLines), contentLength: -1 };
}

function bare(status: number, reason: string, lines: string): StaticResponse {
  return { status, reason, lines, contentLength: 0, parts: [] };
}

function partial(file: Representation, ranges: readonly ByteRange[]): StaticResponse {
  const [only] = ranges;
  if (only !== undefined && ranges.length === 1) {
    return {
      status: 206,
      reason: "Partial Content",
      lines: `${contentRange(only, file.sizeBytes)}${file.wholeLines}`,
      contentLength: only.last - only.first + 1,
      parts: [{ kind: "bytes", ...only }],
    };
  }
  return multipart(file, ranges);
}

/** multipart/byteranges (RFC 9110 §14.6). The tag makes the boundary: it is not in the file but by intent. */
function multipart(file: Representation, ranges: readonly ByteRange[]): StaticResponse {
  const boundary = `tsgi-${file.etag.replace(/[^0-9a-z]/gi, "")}-${file.sizeBytes}`;
  const parts: BodyPart[] = [];
  for (const range of ranges) {
    const title = `\r\n--${boundary}\r\nContent-Type: ${file.contentType}\r\n`;
    parts.push({ kind: "text", text: `${title}${contentRange(range, file.sizeBytes)}\r\n` });
    parts.push({ kind: "bytes", ...range });
  }
  parts.push({ kind: "text", text: `\r\n--${boundary}--\r\n` });
  const type = `Content-Type: multipart/byteranges; boundary=${boundary}\r\n`;
  return {
    status: 206,
    reason: "Partial Content",
    lines: file.wholeLines.replace(/^Content-Type: [^\r]*\r\n/, type),
    contentLength: parts.reduce((sum, part) => sum + partLength(part), 0),
    parts,
  };
}

function partLength(part: BodyPart): number {
  return part.kind === "text" ? part.text.length : part.last - part.first + 1;
}

function contentRange(range: ByteRange, sizeBytes: number): string {
  return `Content-Range: bytes ${range.first}-${range.last}/${sizeBytes}\r\n`;
}
