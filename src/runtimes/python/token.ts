/** The secret by which loader and workers are told from strangers. Not `node:crypto`: loading it costs 7 to 12 ms of the boot. */
import { closeSync, openSync, readSync } from "node:fs";

const TOKEN_BYTES = 24;

/** 48 hexadecimal digits from the kernel's generator (random(4)). */
export function randomToken(): string {
  const bytes = Buffer.alloc(TOKEN_BYTES);
  const source = openSync("/dev/urandom", "r");
  try {
    // The kernel never gives less for so few bytes; if one did, half a secret would be none.
    const count = readSync(source, bytes);
    if (count !== TOKEN_BYTES)
      throw new Error(`Cannot make a token: /dev/urandom gave ${count} bytes`);
  } finally {
    closeSync(source);
  }
  return bytes.toString("hex");
}

/** Compares in a time that depends on the length of `given` only, so that nobody can guess byte by byte. */
export function isSameToken(given: string, token: string): boolean {
  let difference = given.length ^ token.length;
  for (let at = 0; at < given.length; at += 1) {
    difference |= given.charCodeAt(at) ^ token.charCodeAt(at % token.length);
  }
  return difference === 0;
}
