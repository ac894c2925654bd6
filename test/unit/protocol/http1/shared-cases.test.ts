/** The request decoder against the case collections of other projects. Each deviation from their verdict has its reason here. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { everyByte, readRequests, seededCuts } from "../../../kit/read-requests.ts";
import type { ReadOutcome } from "../../../kit/read-requests.ts";
import { jsonLines, missingCases, packedInputs } from "../../../kit/shared-cases.ts";

/** Reads whole, byte by byte and in seeded cuts, and asserts that the cuts change nothing. */
function readAllWays(raw: Buffer, label: string): ReadOutcome {
  const whole = readRequests(raw);
  assert.deepEqual(readRequests(raw, everyByte(raw)), whole, `${label}: byte by byte`);
  for (const seed of [1, 2, 3]) {
    const cut = readRequests(raw, seededCuts(raw.length, seed));
    assert.deepEqual(cut, whole, `${label}: cuts of seed ${seed}`);
  }
  return whole;
}

const complete = (outcome: ReadOutcome): number =>
  outcome.requests.filter((request) => request.complete).length;

interface GunicornCase {
  readonly name: string;
  readonly raw: string;
  readonly requests?: readonly {
    readonly method: string;
    readonly target: string;
    readonly version: string;
    readonly headers: readonly (readonly [string, string])[];
    readonly body: string;
  }[];
  readonly settings?: object;
}

const NO_HOST = "missing-host: RFC 9112 §3.2 demands a Host of HTTP/1.1";
const CODINGS =
  "only chunked is decoded here; any other coding is answered 400 or 501, never guessed";

/** Valid there, refused here: the code it is refused with, and why. */
const GUNICORN_REFUSED: Readonly<Record<string, string>> = {
  "valid/004": NO_HOST,
  "valid/005": "bad-target: a fragment is no part of a request target",
  "valid/006": NO_HOST,
  "valid/007": NO_HOST,
  "valid/009": "bad-target: a fragment is no part of a request target",
  "valid/010": NO_HOST,
  "valid/011": NO_HOST,
  "valid/012": NO_HOST,
  "valid/013": NO_HOST,
  "valid/014": NO_HOST,
  "valid/018": NO_HOST,
  "valid/021": NO_HOST,
  "valid/022": "missing-host: the second request of the connection is HTTP/1.1 without Host",
  "valid/023": NO_HOST,
  "valid/025": `bad-transfer-encoding: ${CODINGS}`,
  "valid/025_line": NO_HOST,
  "valid/027": "bad-target: bytes above ASCII must be percent-encoded",
  "valid/028": "space-before-colon: that project's opt-in leniency",
  "valid/029": `bad-transfer-encoding: ${CODINGS}`,
  "valid/030": `bad-transfer-encoding: ${CODINGS}`,
  "valid/031": NO_HOST,
  "valid/031compat": NO_HOST,
  "valid/031compat2": NO_HOST,
  "valid/099": "truncated: the case has half of the body that its Content-Length announces",
  "valid/100": NO_HOST,
  "valid/compat_obs_fold": "obs-fold: that project's opt-in leniency",
  "valid/compat_obs_fold_huge": "obs-fold: that project's opt-in leniency",
  "valid/pp_01": "bad-request-line: the PROXY protocol is not spoken on this port",
  "valid/pp_02": "bad-request-line: the PROXY protocol is not spoken on this port",
  "valid/pp_04": "bad-request-line: the PROXY protocol is not spoken on this port",
  "valid/pp_05": "bad-request-line: the PROXY protocol is not spoken on this port",
  "valid/rfc9112_smuggle_gzip_chunked_01": `unknown-transfer-encoding: ${CODINGS}`,
  "valid/rfc9112_smuggle_te_identity_chunked_01": `unknown-transfer-encoding: ${CODINGS}`,
  "valid/rfc9112_target_absolute_userinfo_01":
    "bad-target: RFC 9110 §4.2.4 calls userinfo an error",
  "valid/rfc9112_target_authority_connect_01": "connect-refused: CONNECT is for proxies",
  "valid/rfc9112_target_authority_ipv6_01": "connect-refused: CONNECT is for proxies",
};

/** Invalid there, read here, and why. */
const GUNICORN_ACCEPTED: Readonly<Record<string, string>> = {
  "invalid/006": "that project's default limit of the request line is 4,094 bytes, here 8,192",
  "invalid/007": "that project limits one header line, here the whole head is limited",
  "invalid/008": "that project limits one header line, here the whole head is limited",
  "invalid/011": "limit set for the case",
  "invalid/012": "limit set for the case",
  "invalid/040": "names with an underscore are dropped and not refused, as nginx does",
  "invalid/limit_header_default_01":
    "that project limits one header line, here the whole head is limited",
};

/** An absolute-form target becomes origin-form (the authority is the host), where that project leaves it. */
const originForm = (target: string): string => target.replace(/^https?:\/\/[^/]+/i, "");

for (const entry of jsonLines("gunicorn-requests/cases.jsonl") as readonly GunicornCase[]) {
  test(`decoder agrees with gunicorn case ${entry.name}`, () => {
    const outcome = readAllWays(Buffer.from(entry.raw, "latin1"), entry.name);
    const refused = GUNICORN_REFUSED[entry.name];
    if (refused !== undefined) {
      assert.equal(outcome.error, refused.split(":")[0]);
      return;
    }
    if (entry.requests === undefined) {
      if (GUNICORN_ACCEPTED[entry.name] !== undefined) assert.equal(outcome.error, undefined);
      else assert.notEqual(outcome.error, undefined);
      return;
    }
    assert.equal(outcome.error, undefined);
    assert.deepEqual(
      outcome.requests.map(({ head, body }) => [head.method, head.target, `1.${head.minor}`, body]),
      entry.requests.map(({ method, target, version, body }) => [
        method,
        originForm(target),
        version,
        body,
      ]),
    );
    for (const [index, expected] of entry.requests.entries()) {
      const { headers } = outcome.requests[index]!.head;
      const pairs = headers.flatMap((name, at) =>
        at % 2 ? [] : [[name.toUpperCase(), headers[at + 1]]],
      );
      const kept = expected.headers.filter(([name]) => !name.includes("_"));
      assert.deepEqual(pairs, kept);
    }
  });
}
test("gunicorn-requests are there", { skip: missingCases("gunicorn-requests") }, () => undefined);

interface LlhttpCase {
  readonly name: string;
  readonly type: string;
  readonly raw: string;
  readonly messages: readonly { readonly url?: string; readonly complete?: boolean }[];
  readonly error?: { readonly code: number };
}

/** Codes 21 to 24 are pauses or an upgrade rather than faults. */
const isFault = (entry: LlhttpCase): boolean =>
  entry.error !== undefined && (entry.error.code < 21 || entry.error.code > 24);

/** Requests that parser accepts in strict mode and this one refuses: the code, and why. */
const LLHTTP_REFUSED: readonly (readonly [RegExp, string])[] = [
  [/CRLF between requests, implicit/, "bad-request-line: one empty line is ignored, not two"],
  [/Upgrade (?:GET|POST) request/, "truncated: what follows an upgrade is no HTTP"],
  [/CONNECT|Underscore in hostname/, "connect-refused: CONNECT is for proxies"],
  [/M-SEARCH request|PRI request HTTP2/, "bad-target: asterisk-form is for OPTIONS alone"],
  [/ICE|RTSP/, "bad-request-line: other protocols"],
  [/No HTTP version/, "bad-request-line: HTTP/0.9"],
  [/chunked` as last transfer-encoding|Fragment in URI/, "bad-target: a fragment"],
  [/basic auth/, "bad-target: RFC 9110 §4.2.4 calls userinfo an error"],
];

const LLHTTP_ACCEPTED: readonly (readonly [RegExp, string])[] = [
  [/HTTP protocol and ANNOUNCE method/, "any token is a method; that parser knows a list"],
  [
    /Resetting flags when keep-alive is off|CRLF between requests, explicit `close`/,
    "after close nothing is read",
  ],
];

for (const entry of jsonLines("llhttp-cases/cases.jsonl") as readonly LlhttpCase[]) {
  if (!entry.type.startsWith("request")) continue;
  test(`decoder agrees with llhttp case ${entry.type} ${entry.name}`, () => {
    const outcome = readAllWays(Buffer.from(entry.raw, "latin1"), entry.name);
    const isStrict = entry.type === "request" || entry.type === "request-finish";
    const finished = entry.messages.filter((message) => message.complete === true).length;
    if (LLHTTP_ACCEPTED.some(([title]) => title.test(entry.name))) return;
    // A lenient mode is told to accept what is refused by default, here always.
    if (!isStrict) {
      assert.notEqual(outcome.error, undefined);
      return;
    }
    if (isFault(entry)) {
      assert.ok(
        outcome.error !== undefined || complete(outcome) <= finished,
        "a fault was read as a request",
      );
      return;
    }
    const refused = LLHTTP_REFUSED.find(([title]) => title.test(entry.name))?.[1];
    if (refused !== undefined) {
      const codes = [refused.split(":")[0], "missing-host"];
      assert.ok(codes.includes(outcome.error ?? "none"), `refused with ${outcome.error}`);
      return;
    }
    if (outcome.error === "missing-host") {
      assert.doesNotMatch(entry.raw, /^host:/im);
      return;
    }
    if (entry.messages.every((message) => message.complete === true)) {
      assert.equal(outcome.error, undefined);
      assert.equal(complete(outcome), finished);
    }
  });
}
test("llhttp-cases are there", { skip: missingCases("llhttp-cases") }, () => undefined);

interface GardenCase {
  readonly id: string;
  readonly title: string;
  readonly raw: string;
}

/** Payloads with nothing wrong in them: the fault is in what the server does with them. */
const GARDEN_READ: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^`\\xa0` and `\\x85` are stripped from.*except/, ["/login"]],
  [/^Pipelined requests in the initial request buffer/, ["/"]],
  [/^Sending an extra byte after a request with a chunked/, ["/"]],
  [/^Incoming chunked request bodies are echoed/, ["/"]],
];

for (const entry of jsonLines("http-garden-payloads/cases.jsonl") as readonly GardenCase[]) {
  test(`decoder refuses or reads in one way http-garden ${entry.id}: ${entry.title.slice(0, 90)}`, () => {
    const outcome = readAllWays(Buffer.from(entry.raw, "latin1"), entry.id);
    const read = outcome.requests.filter((request) => request.complete);
    const expected = GARDEN_READ.find(([title]) => title.test(entry.title))?.[1];
    if (expected === undefined) {
      assert.deepEqual(read, []);
      assert.notEqual(outcome.error, undefined);
      return;
    }
    assert.deepEqual(
      read.map(({ head }) => head.target),
      expected,
    );
    if (/\\xa0/.test(entry.title)) assert.match(read[0]!.head.headers.join("\n"), /[\u0085\u00a0]/);
  });
}
test(
  "http-garden-payloads are there",
  { skip: missingCases("http-garden-payloads") },
  () => undefined,
);

test(
  "decoder never sees the request smuggled behind a disguised Transfer-Encoding",
  { skip: missingCases("smuggler-gadgets") },
  () => {
    const gadgets = jsonLines("smuggler-gadgets/gadgets.jsonl") as readonly (readonly [
      string,
      string,
      string,
    ])[];
    assert.ok(gadgets.length > 1700);
    for (const [list, name, block] of gadgets) {
      const label = `${list} ${name}`;
      const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
      const chunked = "5\r\nhello\r\n0\r\n\r\n";
      for (const [body, length] of [
        [`0\r\n\r\n${smuggled}`, 5 + smuggled.length],
        [`${chunked}${smuggled}`, chunked.length + smuggled.length],
        [`22\r\n${smuggled}\r\n0\r\n\r\n`, 4],
      ] as const) {
        const raw = Buffer.from(
          `POST /x HTTP/1.1\r\n${block}\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${body}`,
          "latin1",
        );
        const outcome = readRequests(raw);
        assert.deepEqual(readRequests(raw, everyByte(raw)), outcome, label);
        const targets = outcome.requests.map(({ head }) => head.target);
        // With a length of 4 the rest is plainly the next request, for every reader that sees the length alone.
        if (length !== 4) assert.ok(!targets.includes("/smuggled"), `${label}: smuggled`);
        const first = outcome.requests[0];
        // Read at all: by Content-Length alone, and the disguise is an ordinary header.
        if (first !== undefined)
          assert.deepEqual(first.head.body, { kind: "length", bytes: length }, label);
        if (first?.complete === true) assert.equal(first.body, body.slice(0, length), label);
      }
    }
  },
);

test(
  "decoder survives h2o's fuzz corpus, with the same verdict however it is cut",
  { skip: missingCases("h2o-fuzz-corpus") },
  () => {
    const inputs = packedInputs("h2o-fuzz-corpus/http1.b64.gz");
    assert.ok(inputs.length > 1000);
    for (const [index, raw] of inputs.entries()) readAllWays(raw, `input ${index}`);
  },
);
