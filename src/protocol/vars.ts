/** Header names as CGI variables (RFC 3875 §4.1.18): "X-Forwarded-For" => "HTTP_X_FORWARDED_FOR". */
import { VARS_CACHE_MAX } from "./limits.ts";

const cache = new Map<string, string>();

/**
 * The CGI variable of a header name. Names with "_" never get here (the HTTP codec drops them), so two different
 * headers cannot become one variable.
 */
export function cgiName(name: string): string {
  const known = cache.get(name);
  if (known !== undefined) return known;
  const upper = name.toUpperCase().replaceAll("-", "_");
  const variable = upper === "CONTENT_TYPE" || upper === "CONTENT_LENGTH" ? upper : `HTTP_${upper}`;
  // Names come from clients: a full cache begins anew, so that it stays bounded and useful.
  if (cache.size >= VARS_CACHE_MAX) cache.clear();
  // Short names only: 1,024 names of 30 KB each would be memory that a client controls.
  if (name.length <= 64) cache.set(copyOf(name), variable);
  return variable;
}

/** A string of its own: a slice would keep the whole request head alive. */
function copyOf(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

/** For tests: how many names are cached. */
export function cgiNamesCached(): number {
  return cache.size;
}
