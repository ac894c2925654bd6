import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestHead } from "../../../../src/protocol/request.ts";
import {
  encodeEnviron,
  percentDecode,
} from "../../../../src/protocol/worker-channel/environ-block.ts";

const ENDS = { address: "10.0.0.1", port: 4711, localAddress: "10.0.0.2", localPort: 80 };

function head(fields: Partial<RequestHead>): RequestHead {
  return {
    method: "GET",
    target: "/",
    minor: 1,
    headers: [],
    body: { kind: "none" },
    keepAlive: true,
    expectsContinue: false,
    host: "a",
    ...fields,
  };
}

function environ(fields: Partial<RequestHead>, ends = ENDS, secure = false): Map<string, string> {
  const block = encodeEnviron(head(fields), ends, secure);
  assert.ok(block !== undefined);
  const parts = block.split("\0");
  assert.equal(parts.length % 2, 0);
  const map = new Map<string, string>();
  for (let index = 0; index < parts.length; index += 2) {
    assert.ok(!map.has(parts[index]!), `${parts[index]} comes twice`);
    map.set(parts[index]!, parts[index + 1]!);
  }
  return map;
}

test("encodeEnviron: method, target, path, query, version and both ends", () => {
  const map = environ({ method: "PUT", target: "/a%20b?c=%20&d", minor: 0 });
  assert.equal(map.get("REQUEST_METHOD"), "PUT");
  assert.equal(map.get("REQUEST_URI"), "/a%20b?c=%20&d");
  assert.equal(map.get("PATH_INFO"), "/a b");
  assert.equal(map.get("QUERY_STRING"), "c=%20&d");
  assert.equal(map.get("SERVER_PROTOCOL"), "HTTP/1.0");
  assert.equal(map.get("REMOTE_ADDR"), "10.0.0.1");
  assert.equal(map.get("REMOTE_PORT"), "4711");
  assert.equal(map.get("SERVER_NAME"), "10.0.0.2");
  assert.equal(map.get("SERVER_PORT"), "80");
  assert.equal(environ({ target: "*", method: "OPTIONS" }).get("PATH_INFO"), "");
});

test("encodeEnviron: unix sockets and TLS", () => {
  const unix = { address: "", port: 0, localAddress: "", localPort: 0 };
  assert.equal(environ({}, unix).get("SERVER_NAME"), "localhost");
  assert.equal(environ({}, unix, true).get("SERVER_PORT"), "443");
  assert.equal(environ({}, ENDS, true).get("wsgi.url_scheme"), "https");
});

test("encodeEnviron: headers by their CGI names; repeated ones joined; a value is never taken for a name", () => {
  const map = environ({
    headers:
      "Content-Type|text/plain|Content-Length|3|X-Name|HTTP_X_OTHER|x-other|1|Cookie|a=1|X-OTHER|2|cookie|b=2".split(
        "|",
      ),
  });
  assert.equal(map.get("CONTENT_TYPE"), "text/plain");
  assert.equal(map.get("CONTENT_LENGTH"), "3");
  assert.equal(map.get("HTTP_X_NAME"), "HTTP_X_OTHER");
  assert.equal(map.get("HTTP_X_OTHER"), "1,2");
  assert.equal(map.get("HTTP_COOKIE"), "a=1; b=2");
});

test("encodeEnviron: no Proxy, no Transfer-Encoding, also among repeated ones", () => {
  for (const more of [[], ["A", "1", "a", "2"]]) {
    const map = environ({
      headers: ["Proxy", "http://x", "Transfer-Encoding", "chunked", ...more],
    });
    assert.ok(!map.has("HTTP_PROXY") && !map.has("HTTP_TRANSFER_ENCODING"));
  }
});

test("encodeEnviron: a NUL in the path cannot be told", () => {
  assert.equal(encodeEnviron(head({ target: "/a%00b" }), ENDS, false), undefined);
});

test("percentDecode: bytes as latin1; what is not an escape stays", () => {
  assert.equal(percentDecode("/%C3%a9%2f%zz%4"), "/\u00c3\u00a9/%zz%4");
});
