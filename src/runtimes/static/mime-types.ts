/** Media types by file name extension: what browsers need, one row to a type. */

const TABLE: Readonly<Record<string, string>> = {
  "text/html": "html htm shtml",
  "text/css": "css",
  "text/javascript": "js mjs cjs",
  "text/plain": "txt text log conf ini",
  "text/markdown": "md markdown",
  "text/csv": "csv",
  "text/tab-separated-values": "tsv",
  "text/calendar": "ics",
  "text/vcard": "vcf",
  "text/vtt": "vtt",
  "text/xml": "xml xsl xslt",
  "text/yaml": "yaml yml",
  "application/json": "json map",
  "application/ld+json": "jsonld",
  "application/geo+json": "geojson",
  "application/manifest+json": "webmanifest",
  "application/atom+xml": "atom",
  "application/rss+xml": "rss",
  "application/xhtml+xml": "xhtml",
  "application/wasm": "wasm",
  "application/pdf": "pdf",
  "application/rtf": "rtf",
  "application/epub+zip": "epub",
  "application/zip": "zip",
  "application/gzip": "gz tgz",
  "application/zstd": "zst",
  "application/x-tar": "tar",
  "application/x-bzip2": "bz2",
  "application/x-xz": "xz",
  "application/x-7z-compressed": "7z",
  "application/vnd.rar": "rar",
  "application/java-archive": "jar war",
  "application/vnd.debian.binary-package": "deb",
  "application/x-rpm": "rpm",
  "application/msword": "doc",
  "application/vnd.ms-excel": "xls",
  "application/vnd.ms-powerpoint": "ppt",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
  "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
  "application/vnd.oasis.opendocument.text": "odt",
  "application/vnd.oasis.opendocument.spreadsheet": "ods",
  "application/vnd.oasis.opendocument.presentation": "odp",
  "application/vnd.apple.mpegurl": "m3u8",
  "application/dash+xml": "mpd",
  "application/postscript": "ps eps",
  "application/toml": "toml",
  "application/sql": "sql",
  "image/png": "png",
  "image/jpeg": "jpg jpeg jfif",
  "image/gif": "gif",
  "image/webp": "webp",
  "image/avif": "avif",
  "image/heic": "heic",
  "image/jxl": "jxl",
  "image/apng": "apng",
  "image/svg+xml": "svg",
  "image/x-icon": "ico cur",
  "image/bmp": "bmp",
  "image/tiff": "tif tiff",
  "audio/mpeg": "mp3",
  "audio/mp4": "m4a",
  "audio/aac": "aac",
  "audio/ogg": "ogg oga opus",
  "audio/wav": "wav",
  "audio/flac": "flac",
  "audio/midi": "mid midi",
  "audio/webm": "weba",
  "video/mp4": "mp4 m4v",
  "video/webm": "webm",
  "video/ogg": "ogv",
  "video/quicktime": "mov",
  "video/x-msvideo": "avi",
  "video/x-matroska": "mkv",
  "video/mpeg": "mpg mpeg",
  "video/mp2t": "ts m2ts",
  "video/3gpp": "3gp",
  "font/woff": "woff",
  "font/woff2": "woff2",
  "font/ttf": "ttf",
  "font/otf": "otf",
  "font/collection": "ttc",
  "application/vnd.ms-fontobject": "eot",
};

/** Types outside text/* whose bytes are text. */
const ALSO_TEXT = /^application\/(?:json|toml|sql|.*\+(?:json|xml))$|\+xml$/;

const UNKNOWN = "application/octet-stream";

const BY_EXTENSION: ReadonlyMap<string, string> = new Map(
  Object.entries(TABLE).flatMap(([type, extensions]) =>
    extensions.split(" ").map((extension): [string, string] => [extension, withCharset(type)]),
  ),
);

/**
 * The Content-Type of a file by its name, with `charset=utf-8` for text; application/octet-stream when unknown.
 *
 * @example contentTypeOf("index.HTML") => "text/html; charset=utf-8"
 */
export function contentTypeOf(fileName: string): string {
  const dot = fileName.lastIndexOf(".");
  if (dot <= fileName.lastIndexOf("/")) return UNKNOWN;
  return BY_EXTENSION.get(fileName.slice(dot + 1).toLowerCase()) ?? UNKNOWN;
}

function withCharset(type: string): string {
  return type.startsWith("text/") || ALSO_TEXT.test(type) ? `${type}; charset=utf-8` : type;
}
