/** Answers of the control socket as plain values, and the errors that become them. */
import { TsgiError, messageOf } from "../core/errors.ts";
import type { ErrorCode } from "../core/errors.ts";

/** A whole answer. `text` is sent as it is, `body` as one JSON document. */
export type ControlReply =
  | { readonly status: number; readonly body: unknown; readonly allow?: string }
  | { readonly status: number; readonly text: string; readonly contentType: string };

export function replyJson(status: number, body: unknown): ControlReply {
  return { status, body };
}

/** `code` is a row of the error table where there is one, else a word of this interface. */
export function replyProblem(
  status: number,
  code: string,
  message: string,
  help?: string,
): ControlReply {
  return replyJson(status, { error: { code, message, ...(help !== undefined && { help }) } });
}

const STATUS: { readonly [C in ErrorCode]?: number } = {
  TSGI_USAGE: 400,
  TSGI_UNKNOWN_VASSAL: 404,
  TSGI_TIMED_OUT: 504,
};

/** The answer for an exception of a handler; unexpected ones do not show their insides. */
export function replyError(error: unknown): ControlReply {
  if (!(error instanceof TsgiError)) {
    return replyProblem(500, "TSGI_INTERNAL", `Cannot answer: ${messageOf(error)}`);
  }
  return replyProblem(STATUS[error.code] ?? 500, error.code, error.message, error.help);
}
