/** The pages tsgi itself answers with: fixed bodies, so that no byte of a request can be reflected. */
import { STATUS_REASONS } from "../protocol/http1/response-encoder.ts";

export interface ErrorPage {
  readonly lines: string;
  readonly body: string;
}

type Form = "text" | "html" | "json";

const pages = new Map<string, ErrorPage>();

/** The page of a status in the form that the Accept header prefers; plain text without one. */
export function errorPage(status: number, accept: string | undefined): ErrorPage {
  const form = formOf(accept);
  const key = `${status} ${form}`;
  const known = pages.get(key);
  if (known !== undefined) return known;
  const page = render(status, form);
  pages.set(key, page);
  return page;
}

/** The first of the three forms in the list: preference weights are not worth a parser here. */
function formOf(accept: string | undefined): Form {
  if (accept === undefined) return "text";
  const first = /text\/html|application\/(?:[a-z.]+\+)?json|text\/plain/i.exec(accept)?.[0];
  if (first === undefined) return "text";
  const lower = first.toLowerCase();
  if (lower === "text/html") return "html";
  return lower === "text/plain" ? "text" : "json";
}

function render(status: number, form: Form): ErrorPage {
  const reason = STATUS_REASONS[status] ?? "Error";
  const common = "X-Content-Type-Options: nosniff\r\n";
  switch (form) {
    case "text":
      return {
        lines: `Content-Type: text/plain; charset=utf-8\r\n${common}`,
        body: `${status} ${reason}\n`,
      };
    case "html":
      return {
        lines: `Content-Type: text/html; charset=utf-8\r\n${common}`,
        body:
          `<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>${status} ${reason}</title></head>\n` +
          `<body><h1>${status} ${reason}</h1></body>\n</html>\n`,
      };
    case "json":
      return {
        lines: `Content-Type: application/json\r\n${common}`,
        body: `${JSON.stringify({ status, error: reason })}\n`,
      };
  }
}
