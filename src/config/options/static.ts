/** Options of static files, beside `root` in the mapping `static`. */
import { vassalOption } from "../option.ts";
import { listOf } from "../types/lists.ts";
import { boolean, text } from "../types/scalars.ts";

const family = "static";
const fileName = text({
  label: "the name of a file such as index.html",
  word: "name",
  maxLength: 255,
  pattern: /^(?!\.{1,2}$)[^/\\]+$/,
  patternFix: "write a name without slashes",
});

export const staticIndex = vassalOption({
  name: "static.index",
  family,
  only: ["static"],
  type: listOf(fileName),
  default: ["index.html"],
  doc: "The file that answers for a folder; the first of a list that exists.",
  example: "static: { root: public, index: [index.html, index.htm] }",
});

export const staticFollowSymlinks = vassalOption({
  name: "static.follow-symlinks",
  family,
  only: ["static"],
  type: boolean(),
  default: false,
  doc: "Whether a symlink may lead out of the root. false serves only what really lies below it; links that stay inside always work.",
  example: "static: { root: public, follow-symlinks: true }",
});

export const staticCacheControl = vassalOption({
  name: "static.cache-control",
  family,
  only: ["static"],
  type: text({
    label: "a Cache-Control value such as max-age=3600",
    maxLength: 1000,
    pattern: /^[\x20-\x7e]+$/,
    patternFix: "use printable ASCII in one line",
  }),
  defaultText: "none is sent; ETag and Last-Modified still spare transfers",
  doc: "The Cache-Control header of every file.",
  example: "static: { root: public, cache-control: max-age=3600 }",
});

export const staticFallback = vassalOption({
  name: "static.fallback",
  family,
  only: ["static"],
  type: text({
    label: "the path of a file below the root such as index.html",
    word: "path",
    maxLength: 4095,
    pattern: /^(?!\/)(?!(?:.*\/)?\.\.(?:\/|$)).+$/s,
    patternFix: "write a path below the root, without a leading slash and without '..'",
  }),
  defaultText: "none: what does not exist is answered 404",
  doc: "A file below the root that is sent with status 200 for paths that do not exist, as single-page applications need it.",
  example: "static: { root: public, fallback: index.html }",
});

export const staticPrecompressed = vassalOption({
  name: "static.precompressed",
  family,
  only: ["static"],
  type: boolean(),
  default: true,
  doc: "Whether name.br, name.zst or name.gz beside a file is sent instead of it to clients that accept it.",
  example: "static: { root: public, precompressed: false }",
  aliases: [{ name: "static-gzip-all" }],
});
