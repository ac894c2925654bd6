/** The codec contract of the request decoder over the cases in test/wire/http1, and each of its limits. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { PROTOCOL_ERRORS, ProtocolError } from "../../../../src/protocol/codec.ts";
import { RequestDecoder } from "../../../../src/protocol/http1/request-decoder.ts";
import type { RequestEvent } from "../../../../src/protocol/http1/request-decoder.ts";
import type { RequestHead } from "../../../../src/protocol/request.ts";
import { TEST_LIMITS, everyByte, readRequests, seededCuts } from "../../../kit/read-requests.ts";
import type { ReadOutcome } from "../../../kit/read-requests.ts";

const WIRE = fileURLToPath(new URL("../../../wire/http1/", import.meta.url));

interface ExpectedRequest extends Partial<RequestHead> {
  readonly body?: never;
  readonly trailers?: readonly string[];
}

function titlesIn(folder: string): readonly string[] {
  const names = readdirSync(WIRE + folder).filter((name) => name.endsWith(".http"));
  assert.ok(names.length > 20);
  return names.map((name) => name.slice(0, -".http".length)).sort();
}

/** The outcome of the whole input, after asserting that no cut changes it. */
function readEveryWay(raw: Buffer): ReadOutcome {
  const whole = readRequests(raw);
  for (let cut = 1; cut < raw.length; cut += 1) {
    assert.deepEqual(readRequests(raw, [cut]), whole, `cut at ${cut}`);
  }
  assert.deepEqual(readRequests(raw, everyByte(raw)), whole, "byte by byte");
  for (let seed = 1; seed <= 10; seed += 1) {
    assert.deepEqual(readRequests(raw, seededCuts(raw.length, seed)), whole, `seed ${seed}`);
  }
  return whole;
}

for (const title of titlesIn("valid")) {
  test(`RequestDecoder reads ${title}`, () => {
    const raw = readFileSync(`${WIRE}valid/${title}.http`);
    const { requests } = JSON.parse(readFileSync(`${WIRE}valid/${title}.json`, "utf8")) as {
      readonly requests: readonly (Omit<ExpectedRequest, "body"> & { readonly body?: string })[];
    };
    const outcome = readEveryWay(raw);
    assert.equal(outcome.error, undefined);
    assert.equal(outcome.requests.length, requests.length);
    for (const [index, { body = "", trailers = [], ...head }] of requests.entries()) {
      const read = outcome.requests[index]!;
      assert.ok(read.complete);
      assert.equal(read.body, body);
      assert.deepEqual(read.trailers, trailers);
      const defaults = { minor: 1, keepAlive: true, expectsContinue: false };
      const expected = { ...read.head, ...defaults, ...head };
      assert.deepEqual(read.head, expected);
      assert.equal(read.head.upgrade, head.upgrade);
    }
  });

  test(`RequestDecoder makes of a truncated ${title} nothing but a beginning of it`, () => {
    const raw = readFileSync(`${WIRE}valid/${title}.http`);
    const whole = readRequests(raw);
    for (let length = 0; length < raw.length; length += 1) {
      const cut = readRequests(raw.subarray(0, length));
      assert.ok(cut.error === undefined || cut.error === "truncated", `${length}: ${cut.error}`);
      const read = cut.requests.filter((request) => request.complete);
      assert.deepEqual(read, whole.requests.slice(0, read.length));
    }
  });
}

for (const title of titlesIn("invalid")) {
  test(`RequestDecoder refuses ${title}`, () => {
    const raw = readFileSync(`${WIRE}invalid/${title}.http`);
    const expected = JSON.parse(readFileSync(`${WIRE}invalid/${title}.json`, "utf8")) as {
      readonly error: string;
      readonly status: number;
      readonly readBefore?: number;
    };
    const outcome = readEveryWay(raw);
    assert.deepEqual(
      {
        error: outcome.error,
        status: outcome.status,
        complete: outcome.requests.filter((request) => request.complete).length,
      },
      { error: expected.error, status: expected.status, complete: expected.readBefore ?? 0 },
    );
    assert.ok(outcome.offset !== undefined && outcome.offset <= raw.length);
  });
}

const HOST = "Host: a\r\n";
const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

function refuses(raw: Buffer, code: string, limits = TEST_LIMITS): void {
  assert.equal(readRequests(raw, [], limits).error, code);
  assert.equal(readRequests(raw, seededCuts(raw.length, 7), limits).error, code);
}

function accepts(raw: Buffer, limits = TEST_LIMITS): void {
  assert.equal(readRequests(raw, [], limits).error, undefined);
  assert.equal(readRequests(raw, seededCuts(raw.length, 7), limits).error, undefined);
}

test("RequestDecoder limits the request line to the byte, whether or not it ends", () => {
  const limits = { ...TEST_LIMITS, maxTargetBytes: 100 };
  const line = (length: number): string => `GET /${"a".repeat(length - 16)} HTTP/1.1\r\n`;
  assert.equal(line(100).length, 100);
  accepts(bytes(`${line(100)}${HOST}\r\n`), limits);
  refuses(bytes(`${line(101)}${HOST}\r\n`), "target-too-long", limits);
  refuses(bytes(`GET /${"a".repeat(96)}`), "target-too-long", limits);
});

test("RequestDecoder limits the head to the byte, whether or not it ends", () => {
  const limits = { ...TEST_LIMITS, maxHeadBytes: 200 };
  const head = (length: number): string => {
    const start = `GET / HTTP/1.1\r\n${HOST}X: `;
    return `${start}${"a".repeat(length - start.length - 4)}\r\n\r\n`;
  };
  assert.equal(head(200).length, 200);
  accepts(bytes(head(200)), limits);
  refuses(bytes(head(201)), "head-too-large", limits);
  refuses(bytes(head(400).slice(0, 250)), "head-too-large", limits);
  // The limit holds also for a head that was read before with a shorter request line.
  refuses(bytes(head(200) + head(200).replace("GET /", "GET /longer")), "head-too-large", limits);
});

test("RequestDecoder limits the number of header lines, dropped ones included", () => {
  const limits = { ...TEST_LIMITS, maxHeaders: 5 };
  accepts(bytes(`GET / HTTP/1.1\r\n${HOST}${"A: b\r\n".repeat(4)}\r\n`), limits);
  refuses(
    bytes(`GET / HTTP/1.1\r\n${HOST}${"A_: b\r\n".repeat(5)}\r\n`),
    "too-many-headers",
    limits,
  );
});

test("RequestDecoder limits counted and chunked bodies to the byte", () => {
  const limits = { ...TEST_LIMITS, maxBodyBytes: 10 };
  const counted = (length: number): Buffer =>
    bytes(`POST / HTTP/1.1\r\n${HOST}Content-Length: ${length}\r\n\r\n${"x".repeat(length)}`);
  const chunked = (...sizes: readonly number[]): Buffer =>
    bytes(
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n` +
        sizes.map((size) => `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`).join("") +
        "0\r\n\r\n",
    );
  accepts(counted(10), limits);
  refuses(counted(11), "body-too-large", limits);
  accepts(chunked(4, 6), limits);
  refuses(chunked(4, 7), "body-too-large", limits);
});

test("RequestDecoder limits chunk extensions: one line, and all of a body", () => {
  const start = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;
  const chunk = (extension: number): string => `1;${"a".repeat(extension - 1)}\r\nx\r\n`;
  accepts(bytes(`${start}${chunk(1000)}0\r\n\r\n`));
  refuses(bytes(`${start}${chunk(1100)}0\r\n\r\n`), "chunk-extensions-too-large");
  refuses(bytes(`${start}1;${"a".repeat(5000)}`), "chunk-extensions-too-large");
  accepts(bytes(`${start}${chunk(1000).repeat(16)}0\r\n\r\n`));
  refuses(bytes(`${start}${chunk(1000).repeat(17)}0\r\n\r\n`), "chunk-extensions-too-large");
});

test("RequestDecoder limits trailers in size and number", () => {
  const limits = { ...TEST_LIMITS, maxHeaders: 3, maxHeadBytes: 200 };
  const start = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n`;
  accepts(bytes(`${start}${"A: b\r\n".repeat(3)}\r\n`), limits);
  refuses(bytes(`${start}${"A: b\r\n".repeat(4)}\r\n`), "too-many-headers", limits);
  refuses(bytes(`${start}A: ${"b".repeat(250)}`), "head-too-large", limits);
});

function eventsOf(decoder: RequestDecoder): readonly RequestEvent[] {
  const events: RequestEvent[] = [];
  for (let event = decoder.next(); event !== undefined; event = decoder.next()) events.push(event);
  return events;
}

test("RequestDecoder gives the same header list again for the same header lines", () => {
  const decoder = new RequestDecoder(TEST_LIMITS);
  const raw = (target: string, more = ""): Buffer =>
    bytes(`GET ${target} HTTP/1.1\r\n${HOST}${more}\r\n`);
  const heads: RequestHead[] = [];
  for (const chunk of [raw("/1"), raw("/2"), raw("/3", "A: b\r\n"), raw("/4")]) {
    decoder.push(chunk);
    for (const event of eventsOf(decoder)) if (event.type === "head") heads.push(event.head);
  }
  assert.equal(heads[1]!.headers, heads[0]!.headers);
  assert.deepEqual(heads[2]!.headers, ["Host", "a", "A", "b"]);
  assert.deepEqual(heads[3]!.headers, ["Host", "a"]);
});

test("RequestDecoder leaves a pipelined request unread until it is asked for", () => {
  const decoder = new RequestDecoder(TEST_LIMITS);
  const one = `GET /1 HTTP/1.1\r\n${HOST}\r\n`;
  decoder.push(bytes(`${one}bad request`));
  assert.equal(decoder.next()?.type, "head");
  assert.equal(decoder.buffered, "bad request".length);
});

test("RequestDecoder hands on body bytes as views of the chunk", () => {
  const decoder = new RequestDecoder(TEST_LIMITS);
  const chunk = bytes(`POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`);
  decoder.push(chunk);
  const [, data] = eventsOf(decoder);
  assert.ok(data?.type === "data");
  assert.equal(data.chunk.buffer, chunk.buffer);
});

test("RequestDecoder is dead after an error, and says the same again", () => {
  const decoder = new RequestDecoder(TEST_LIMITS);
  decoder.push(bytes("BAD\r\n"));
  assert.throws(() => decoder.next(), { code: "bad-request-line" });
  decoder.push(bytes(`GET / HTTP/1.1\r\n${HOST}\r\n`));
  assert.throws(() => decoder.next(), { code: "bad-request-line" });
});

test("RequestDecoder counts offsets from the start of the connection", () => {
  const good = `GET / HTTP/1.1\r\n${HOST}\r\n`;
  const outcome = readRequests(bytes(`${good}${good}GET / HTTP/1.1\r\n bad\r\n\r\n`), [10, 30]);
  assert.equal(outcome.offset, good.length * 2 + "GET / HTTP/1.1\r\n".length);
});

test("RequestDecoder takes a long run of blanks in linear time", () => {
  const blanks = " ".repeat(30_000);
  for (const name of ["Connection", "Transfer-Encoding", "Expect", "Content-Length"]) {
    const startedAt = process.cpuUsage().user;
    readRequests(bytes(`POST / HTTP/1.1\r\n${HOST}${name}: a${blanks}b${blanks}\r\n\r\n`));
    assert.ok(process.cpuUsage().user - startedAt < 300_000, name);
  }
});

test("PROTOCOL_ERRORS: every row is a client's or version's fault with a sentence", () => {
  for (const [code, row] of Object.entries(PROTOCOL_ERRORS)) {
    assert.ok((row.status >= 400 && row.status < 432) || [501, 505].includes(row.status), code);
    assert.match(row.text, /^[a-z].*[^.]$|^CONNECT/);
  }
  const error = new ProtocolError("bare-lf", 7);
  assert.equal(error.message, "Cannot read the message at byte 7: an LF is not preceded by CR");
});
