/** The static container behind the real front: nothing outside the root, true validators, no false ends. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import type { StaticConfig } from "../../src/config/vassal-config.ts";
import { createStaticRuntime } from "../../src/runtimes/static/runtime.ts";
import { ask } from "../kit/http.ts";
import { eventually } from "../kit/eventually.ts";
import { Site } from "./exec-front.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "tsgi-static-"));
const ROOT = join(FOLDER, "public");
const SECRET = "the secret";
const BIG = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => index % 251));

mkdirSync(join(ROOT, "dir/sub"), { recursive: true });
mkdirSync(join(ROOT, ".well-known"));
mkdirSync(join(FOLDER, "public-secret"));
write("index.html", "<p>home");
write("a b.txt", "space");
write("%2e%2e", "percent");
write("café.txt", "coffee");
write("dir/index.html", "<p>dir");
write("empty.txt", "");
write("big.bin", BIG);
write(".env", SECRET);
write(".well-known/security.txt", "contact");
write("app.js", "plain();".repeat(100));
writeFileSync(join(FOLDER, "secret.txt"), SECRET);
writeFileSync(join(FOLDER, "public-secret/secret.txt"), SECRET);
symlinkSync("../secret.txt", join(ROOT, "out.txt"));
symlinkSync("../public-secret", join(ROOT, "outdir"));
symlinkSync("index.html", join(ROOT, "inside.html"));
symlinkSync(".env", join(ROOT, "hidden.txt"));
symlinkSync("loop", join(ROOT, "loop"));
symlinkSync("/dev/zero", join(ROOT, "zero"));
execFileSync("mkfifo", [join(ROOT, "pipe")]);
after(() => rmSync(FOLDER, { recursive: true }));

/** Makes a file that is old enough to be remembered and strongly tagged. */
function write(name: string, content: string | Buffer): void {
  writeFileSync(join(ROOT, name), content);
}

function open(config: Partial<StaticConfig> = {}): Promise<Site> {
  const app = { kind: "static", root: "public" } as const;
  return Site.open(createStaticRuntime, { app, release: FOLDER, static: config });
}

/** A path exactly as written, which HTTP libraries would tidy up. Everything until the end of the connection. */
function raw(port: number, target: string, headers = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => (text += chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
    socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${headers}\r\n`);
  });
}

test("static serves files, folders and names in UTF-8 with their types", async () => {
  await using site = await open({ cacheControl: "public, max-age=60" });
  const paths: Readonly<Record<string, readonly [string, string]>> = {
    "/": ["<p>home", "text/html; charset=utf-8"],
    "/index.html": ["<p>home", "text/html; charset=utf-8"],
    "/a%20b.txt": ["space", "text/plain; charset=utf-8"],
    "/%252e%252e": ["percent", "application/octet-stream"],
    "/caf%C3%A9.txt?v=1": ["coffee", "text/plain; charset=utf-8"],
    "/dir/": ["<p>dir", "text/html; charset=utf-8"],
    "//dir//index.html": ["<p>dir", "text/html; charset=utf-8"],
    "/empty.txt": ["", "text/plain; charset=utf-8"],
    "/inside.html": ["<p>home", "text/html; charset=utf-8"],
    "/.well-known/security.txt": ["contact", "text/plain; charset=utf-8"],
  };
  for (const [path, [body, type]] of Object.entries(paths)) {
    const answer = await ask({ port: site.port }, path);
    assert.deepEqual([answer.status, answer.body], [200, body], path);
    assert.equal(answer.headers["content-type"], type);
    assert.equal(answer.headers["cache-control"], "public, max-age=60");
    assert.ok(answer.headers.etag !== undefined && answer.headers["last-modified"] !== undefined);
  }
  assert.equal(site.runtime.answered, Object.keys(paths).length);
  assert.deepEqual(site.runtime.workers(), []);
});

const LYING: readonly string[] = [
  "/../secret.txt",
  "/dir/../../secret.txt",
  "/%2e%2e/secret.txt",
  "/.%2e/secret.txt",
  "/%2e%2e%2fsecret.txt",
  "/..%2fsecret.txt",
  "/..%5csecret.txt",
  "/..\\secret.txt",
  "/%252e%252e/secret.txt",
  "/%c0%ae%c0%ae/secret.txt",
  "/../public-secret/secret.txt",
  "/-secret/secret.txt",
  "/out.txt",
  "/outdir/secret.txt",
  "/outdir/",
  "/hidden.txt",
  "/.env",
  "/dir/%2e%2e/.env",
  "/%2eenv",
  "/.well-known/../.env",
  "/index.html%00.txt",
  "/loop",
  "/pipe",
  "/zero",
  "/index.html/",
  "/index.html/x",
  `${FOLDER}/secret.txt`,
  `/%2f${FOLDER}/secret.txt`,
];

for (const target of LYING) {
  test(`static never leaves its root by ${target.replace(FOLDER, "{folder}")}`, async () => {
    await using site = await open();
    const answer = await raw(site.port, target);
    assert.match(answer, /^HTTP\/1\.1 (400|403|404) /);
    assert.ok(!answer.includes(SECRET), answer);
    assert.ok(!answer.includes("public"), "no real path in any answer");
  });
}

test("static with follow-symlinks goes where the operator's links lead, and nowhere else", async () => {
  await using site = await open({ followSymlinks: true });
  assert.equal((await ask({ port: site.port }, "/out.txt")).body, SECRET);
  assert.equal((await ask({ port: site.port }, "/outdir/secret.txt")).body, SECRET);
  assert.equal((await ask({ port: site.port }, "/.env")).status, 404);
  for (const target of ["/../secret.txt", "/%2e%2e/secret.txt", "/zero", "/pipe"]) {
    assert.match(await raw(site.port, target), /^HTTP\/1\.1 (400|403|404) /, target);
  }
});

test("static serves a root that is itself reached by a symlink, and keeps to where it led", async () => {
  const link = join(FOLDER, "current");
  symlinkSync("public", link);
  const app = { kind: "static", root: "current" } as const;
  await using site = await Site.open(createStaticRuntime, { app, release: FOLDER });
  symlinkSync("public-secret", `${link}.new`);
  renameSync(`${link}.new`, link);
  assert.equal((await ask({ port: site.port }, "/index.html")).body, "<p>home");
  assert.equal((await ask({ port: site.port }, "/secret.txt")).status, 404);
});

test("static serves nothing from outside while names are being swapped under it", async () => {
  write("swap-good.txt", "good");
  const script = `
    const { renameSync, symlinkSync, linkSync, mkdirSync } = require("node:fs");
    const at = (name) => ${JSON.stringify(ROOT)} + "/" + name;
    console.log("swaps");
    for (let count = 0; ; count += 1) {
      linkSync(at("swap-good.txt"), at("swap.new"));
      renameSync(at("swap.new"), at("swap.txt"));
      symlinkSync("../secret.txt", at("swap.new"));
      renameSync(at("swap.new"), at("swap.txt"));
    }`;
  const swapper = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "ignore"] });
  await once(swapper.stdout, "data");
  await using site = await open();
  const statuses = new Set<number>();
  for (let count = 0; count < 1000; count += 1) {
    const answer = await ask({ port: site.port }, "/swap.txt");
    statuses.add(answer.status);
    assert.ok(!answer.body.includes(SECRET));
  }
  swapper.kill("SIGKILL");
  await once(swapper, "exit");
  assert.ok(statuses.has(200) && statuses.has(403), [...statuses].join());
});

test("static redirects to the slash of a folder, never to another host", async () => {
  await using site = await open();
  const answer = await ask({ port: site.port }, "/dir?x=1");
  assert.deepEqual([answer.status, answer.headers.location], [301, "/dir/?x=1"]);
  mkdirSync(join(ROOT, "evil.example"), { recursive: true });
  for (const target of [
    "//evil.example",
    "///evil.example",
    "/%2fevil.example",
    "/\\evil.example",
  ]) {
    const location = /^Location: (.*)\r$/im.exec(await raw(site.port, target))?.[1];
    if (location !== undefined) assert.equal(location, "/evil.example/");
  }
  assert.equal((await ask({ port: site.port }, "/evil.example/")).status, 403);
});

test("static answers GET, HEAD and OPTIONS alone", async () => {
  await using site = await open();
  const head = await ask({ port: site.port }, "/big.bin", { method: "HEAD" });
  assert.deepEqual([head.status, head.headers["content-length"], head.body], [200, "3000000", ""]);
  const options = await ask({ port: site.port }, "/", { method: "OPTIONS" });
  assert.deepEqual([options.status, options.headers.allow], [204, "GET, HEAD, OPTIONS"]);
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "TRACE"]) {
    const answer = await ask({ port: site.port }, "/", { method });
    assert.deepEqual([answer.status, answer.headers.allow], [405, "GET, HEAD, OPTIONS"], method);
  }
});

test("static answers with 304 to its own validators and with 200 after any edit", async () => {
  write("edited.txt", "one");
  utimesSync(join(ROOT, "edited.txt"), 1_000_000, 1_000_000);
  await using site = await open();
  const get = (headers: Record<string, string>): ReturnType<typeof ask> =>
    ask({ port: site.port }, "/edited.txt", { headers });
  const first = await get({});
  const etag = first.headers.etag ?? "";
  const modified = first.headers["last-modified"] ?? "";
  assert.equal((await get({ "If-None-Match": etag })).status, 304);
  assert.equal((await get({ "If-Modified-Since": modified })).status, 304);
  assert.equal((await get({ "If-Match": '"other"' })).status, 412);
  // Same size, same mtime: only the tag can tell.
  write("edited.txt", "two");
  utimesSync(join(ROOT, "edited.txt"), 1_000_000, 1_000_000);
  const second = await get({ "If-None-Match": etag });
  assert.deepEqual([second.status, second.body], [200, "two"]);
  rmSync(join(ROOT, "edited.txt"));
  assert.equal((await get({ "If-None-Match": etag })).status, 404);
});

test("static sends one range, several ranges and refuses those outside", async () => {
  await using site = await open();
  const get = (range: string): ReturnType<typeof ask> =>
    ask({ port: site.port }, "/index.html", { headers: { range } });
  const one = await get("bytes=1-3");
  assert.deepEqual(
    [one.status, one.body, one.headers["content-range"]],
    [206, "p>h", "bytes 1-3/7"],
  );
  const several = await get("bytes=0-0,-1");
  assert.equal(several.status, 206);
  assert.match(several.headers["content-type"] ?? "", /^multipart\/byteranges; boundary=/);
  assert.match(several.body, /bytes 0-0\/7\r\n\r\n<\r\n[^]*bytes 6-6\/7\r\n\r\ne\r\n--[^]*--\r\n$/);
  const outside = await get("bytes=7-");
  assert.deepEqual([outside.status, outside.headers["content-range"]], [416, "bytes */7"]);
  assert.equal((await get("bytes=0-,0-,0-")).body, "<p>home");
});

test("static sends large files and ranges of them unchanged", async () => {
  await using site = await open();
  const whole = await raw(site.port, "/big.bin");
  assert.ok(Buffer.from(whole.slice(whole.indexOf("\r\n\r\n") + 4), "latin1").equals(BIG));
  const range = "Range: bytes=65535-131073,2999999-\r\n";
  const parts = await raw(site.port, "/big.bin", range);
  const expected = BIG.subarray(65_535, 131_074).toString("latin1");
  assert.ok(parts.includes(`Content-Range: bytes 65535-131073/3000000\r\n\r\n${expected}\r\n--`));
});

test("static prefers the neighbour that the client likes, and says Vary", async () => {
  const plain = "plain();".repeat(100);
  writeFileSync(join(ROOT, "app.js.gz"), gzipSync(plain));
  writeFileSync(join(ROOT, "app.js.br"), "brotli bytes");
  await using site = await open();
  const get = (encoding: string, path = "/app.js"): ReturnType<typeof ask> =>
    ask({ port: site.port }, path, { headers: { "accept-encoding": encoding } });
  const none = await get("");
  assert.deepEqual([none.body, none.headers["content-encoding"]], [plain, undefined]);
  const brotli = await get("gzip, br");
  assert.deepEqual([brotli.body, brotli.headers["content-encoding"]], ["brotli bytes", "br"]);
  const gzip = await get("gzip, br;q=0.5");
  assert.equal(gzip.headers["content-encoding"], "gzip");
  const types = [none, brotli, gzip].map(({ headers }) => headers["content-type"]);
  assert.deepEqual(new Set(types), new Set(["text/javascript; charset=utf-8"]));
  assert.equal(new Set([none, brotli, gzip].map(({ headers }) => headers.etag)).size, 3);
  for (const answer of [none, brotli, gzip]) assert.equal(answer.headers.vary, "Accept-Encoding");
  const named = await get("gzip, br", "/app.js.br");
  assert.equal(named.headers["content-encoding"], undefined);
  assert.equal(named.headers["content-type"], "application/octet-stream");
  const bytes = await raw(site.port, "/app.js", "Accept-Encoding: gzip\r\n");
  const body = Buffer.from(bytes.slice(bytes.indexOf("\r\n\r\n") + 4), "latin1");
  assert.equal(gunzipSync(body).toString(), plain);
  // A neighbour made from an older version must not be served for the new one.
  utimesSync(join(ROOT, "app.js.br"), 1_000_000, 1_000_000);
  assert.equal((await get("gzip, br")).headers["content-encoding"], "gzip");
});

test("static answers unknown paths with the fallback, hidden ones with 404", async () => {
  await using site = await open({ fallback: "/index.html" });
  for (const path of ["/any/route", "/dir/sub/", "/index.html/"]) {
    const answer = await ask({ port: site.port }, path);
    assert.deepEqual([answer.status, answer.body], [200, "<p>home"], path);
  }
  assert.equal((await ask({ port: site.port }, "/.git/config")).status, 404);
});

test("static cuts the connection when a file shrinks while it is sent", async () => {
  write("shrinking.bin", Buffer.alloc(64 * 1024 * 1024, "x"));
  await using site = await open();
  const socket = await stalled(site.port, "/shrinking.bin");
  truncateSync(join(ROOT, "shrinking.bin"), 1000);
  let received = 0;
  socket.on("data", (chunk: Buffer) => (received += chunk.length));
  socket.on("error", () => undefined);
  socket.resume();
  await new Promise((resolve) => socket.once("close", resolve));
  assert.ok(received < 64 * 1024 * 1024, `${received} bytes came`);
  rmSync(join(ROOT, "shrinking.bin"));
});

test("static keeps few blocks of a file in memory for a client that does not read", async () => {
  write("slow.bin", Buffer.alloc(256 * 1024 * 1024));
  await using site = await open();
  const before = process.memoryUsage().arrayBuffers;
  const socket = await stalled(site.port, "/slow.bin");
  const held = process.memoryUsage().arrayBuffers - before;
  assert.ok(held < 16 * 1024 * 1024, `${held} bytes are held`);
  socket.destroy();
  const name = join(ROOT, "slow.bin");
  await eventually("the file is closed", () => !openFiles().includes(name));
  rmSync(name);
});

test("static answers 403 for a file it may not read", async () => {
  write("locked.txt", SECRET);
  chmodSync(join(ROOT, "locked.txt"), 0);
  await using site = await open();
  // Root may read everything.
  const expected = process.getuid?.() === 0 ? 200 : 403;
  assert.equal((await ask({ port: site.port }, "/locked.txt")).status, expected);
});

test("static says which directory is missing", async () => {
  const app = { kind: "static", root: "nowhere" } as const;
  await assert.rejects(
    Site.open(createStaticRuntime, { app, release: FOLDER }),
    /^StartFailure: Cannot serve ".*\/nowhere": ENOENT.*make 'static' name a directory/,
  );
});

/** A client that has asked for `target`, has read a little, and reads no more. */
async function stalled(port: number, target: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await new Promise((resolve) => socket.once("data", resolve));
  socket.pause();
  return socket;
}

function openFiles(): readonly string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // Closed meanwhile.
    }
  });
}
