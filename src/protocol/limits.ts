/** Fixed bounds of the decoders; those that an operator may set are in HttpLimits. */

/** No registered method has more than 17 characters; a longer one is not implemented (501). */
export const METHOD_MAX = 64;
/** A chunk size of 16 hexadecimal digits is more than any number a body may have. */
export const CHUNK_DIGITS_MAX = 16;
/** One chunk-size line with its extensions, without CRLF. */
export const CHUNK_LINE_MAX = 1024;
/** All chunk extensions of one body (Node CVE-2024-22019: endless extensions). */
export const CHUNK_EXTENSIONS_MAX = 16_384;
/** Header names kept in the cache of CGI names. */
export const VARS_CACHE_MAX = 1024;
