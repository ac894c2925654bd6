/** The client's side of HTTP/1: strict, bounded, the same wherever the input is cut. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ProtocolError } from "../../../../src/protocol/codec.ts";
import { ResponseDecoder, ResponseError } from "../../../../src/protocol/http1/response-decoder.ts";

/** What happened, as text: events joined, data merged; an error by its code; "+" when the connection may be used again. */
function read(method: string, chunks: readonly Buffer[], closes: boolean): string {
  const decoder = new ResponseDecoder();
  decoder.expect(method);
  const events: string[] = [];
  let data = "";
  const drain = (): void => {
    for (let event = decoder.next(); event !== undefined; event = decoder.next()) {
      if (event.type === "data") {
        data += event.chunk.toString("latin1");
        continue;
      }
      if (data !== "") events.push(`data(${data})`);
      data = "";
      if (event.type === "end") events.push(`end(${event.trailers.join(",")})`);
      else if (event.type === "head") {
        const { status, reason, headers, contentLength, hasBody } = event.head;
        events.push(`head(${status}|${reason}|${headers.join(",")}|${contentLength}|${hasBody})`);
      } else events.push(`info(${event.status}|${event.headers.join(",")})`);
    }
  };
  try {
    for (const chunk of chunks) {
      decoder.push(chunk);
      drain();
    }
    if (closes) {
      decoder.end();
      drain();
    }
  } catch (error) {
    assert.ok(error instanceof ProtocolError || error instanceof ResponseError, String(error));
    if (data !== "") events.push(`data(${data})`);
    events.push(`error(${error.code})`);
  }
  return `${events.join(" ")}${decoder.reusable ? " +" : ""}`;
}

interface Sample {
  readonly title: string;
  readonly method?: string;
  readonly bytes: string;
  /** The program closes its side behind the bytes. */
  readonly closes?: true;
  readonly expected: string;
}

const SAMPLES: readonly Sample[] = [
  {
    title: "a counted body",
    bytes: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX:  a b \r\n\r\nhello",
    expected: "head(200|OK|Content-Length,5,X,a b|5|true) data(hello) end() +",
  },
  {
    title: "a chunked body with extensions and trailers",
    bytes:
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nX-T: 1\r\n\r\n",
    expected: "head(200|OK|Transfer-Encoding,Chunked|undefined|true) data(hello!) end(X-T,1) +",
  },
  {
    title: "a body that lasts until the connection is closed",
    bytes: "HTTP/1.1 200 OK\r\n\r\nhello",
    closes: true,
    expected: "head(200|OK||undefined|true) data(hello) end()",
  },
  {
    title: "HTTP/1.0 without a length",
    bytes: "HTTP/1.0 200 OK\r\n\r\nhello",
    closes: true,
    expected: "head(200|OK||undefined|true) data(hello) end()",
  },
  {
    title: "HTTP/1.0 with keep-alive",
    bytes: "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx",
    expected: "head(200|OK|Connection,Keep-Alive,Content-Length,1|1|true) data(x) end() +",
  },
  {
    title: "HTTP/1.0 without keep-alive",
    bytes: "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
    expected: "head(200|OK|Content-Length,1|1|true) data(x) end()",
  },
  {
    title: "a connection that will be closed",
    bytes: "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n",
    expected: "head(200|OK|Connection,x, Close,Content-Length,0|0|true) end()",
  },
  {
    title: "the head of a HEAD response",
    method: "HEAD",
    bytes: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    expected: "head(200|OK|Content-Length,5|5|false) end() +",
  },
  {
    title: "a HEAD response that says chunked",
    method: "HEAD",
    bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    expected: "head(200|OK|Transfer-Encoding,chunked|undefined|false) end() +",
  },
  {
    title: "204 and 304 without a body whatever they say",
    bytes: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    expected: "head(304|Not Modified|Content-Length,5|5|false) end() +",
  },
  {
    title: "informational responses before the final one",
    bytes:
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    expected: "info(100|) info(103|Link,a) head(204|No Content||undefined|false) end() +",
  },
  {
    title: "a status line without reason and without the space before it",
    bytes: "HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n",
    expected: "head(299||Content-Length,0|0|true) end() +",
  },
  {
    title: "a body that ends too early",
    bytes: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
    closes: true,
    expected: "head(200|OK|Content-Length,5|5|true) data(hell) error(truncated)",
  },
  {
    title: "a chunked body that ends too early",
    bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    closes: true,
    expected: "head(200|OK|Transfer-Encoding,chunked|undefined|true) data(hello) error(truncated)",
  },
  { title: "no response at all", bytes: "", closes: true, expected: "error(truncated)" },
  {
    title: "a head that ends too early",
    bytes: "HTTP/1.1 200 OK\r\nX: 1\r\n",
    closes: true,
    expected: "error(truncated)",
  },
  {
    title: "two lengths of two kinds",
    bytes: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    expected: "error(both-lengths)",
  },
  {
    title: "two lengths, also when they agree",
    bytes: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
    expected: "error(repeated-content-length)",
  },
  ...["", "+5", "-1", "0x5", "5, 5", "5 5", "99999999999999999"].map((value) => ({
    title: `a Content-Length of "${value}"`,
    bytes: `HTTP/1.1 200 OK\r\nContent-Length: ${value}\r\n\r\n`,
    expected: "error(bad-content-length)",
  })),
  {
    title: "codings beyond chunked",
    bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    expected: "error(unknown-transfer-encoding)",
  },
  {
    title: "Transfer-Encoding in HTTP/1.0",
    bytes: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    expected: "error(transfer-encoding-in-1.0)",
  },
  {
    title: "a bad chunk size",
    bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n",
    expected: "head(200|OK|Transfer-Encoding,chunked|undefined|true) error(bad-chunk-size)",
  },
  {
    title: "chunk data without its end",
    bytes: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab",
    expected: "head(200|OK|Transfer-Encoding,chunked|undefined|true) data(a) error(bad-chunk-end)",
  },
  {
    title: "a folded header",
    bytes: "HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\n\r\n",
    expected: "error(obs-fold)",
  },
  {
    title: "a space before the colon",
    bytes: "HTTP/1.1 200 OK\r\nX : 1\r\n\r\n",
    expected: "error(space-before-colon)",
  },
  {
    title: "a bare LF in the head",
    bytes: "HTTP/1.1 200 OK\nX: 1\r\n\r\n",
    expected: "error(bare-lf)",
  },
  {
    title: "a bare CR in a value",
    bytes: "HTTP/1.1 200 OK\r\nX: 1\rY: 2\r\n\r\n",
    expected: "error(bare-cr)",
  },
  {
    title: "a NUL in a value",
    bytes: "HTTP/1.1 200 OK\r\nX: \0\r\n\r\n",
    expected: "error(bad-header-value)",
  },
  ...["HTTP/1.1  200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.2 200 OK", "HTTP/2 200 OK"]
    .concat(["http/1.1 200 OK", "ICY 200 OK", "", "200 OK", "HTTP/1.1 200\tOK", "HTTP/1.1 200 a\0"])
    .map((line) => ({
      title: `the status line ${JSON.stringify(line)}`,
      bytes: `${line}\r\n\r\n`,
      expected: "error(bad-status-line)",
    })),
  { title: "status 600", bytes: "HTTP/1.1 600 X\r\n\r\n", expected: "error(bad-status)" },
  { title: "status 099", bytes: "HTTP/1.1 099 X\r\n\r\n", expected: "error(bad-status)" },
  {
    title: "a switch of protocols nobody asked for",
    bytes: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    expected: "error(switched-protocols)",
  },
  {
    title: "a second response nobody asked for",
    bytes: "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    expected: "head(204|No Content||undefined|false) end() error(unasked)",
  },
];

for (const { title, method = "GET", bytes, closes = false, expected } of SAMPLES) {
  test(`ResponseDecoder reads ${title}, wherever it is cut`, () => {
    const input = Buffer.from(bytes, "latin1");
    assert.equal(read(method, [input], closes), expected);
    for (let cut = 1; cut < input.length; cut += 1) {
      const parts = [input.subarray(0, cut), input.subarray(cut)];
      assert.equal(read(method, parts, closes), expected, `cut at ${cut}`);
    }
    const single = Array.from(input, (_, index) => input.subarray(index, index + 1));
    assert.equal(read(method, single, closes), expected, "byte by byte");
  });
}

test("ResponseDecoder bounds the head, its header lines and the informational responses", () => {
  const start = "HTTP/1.1 200 OK\r\n";
  const long = Buffer.from(`${start}X: ${"x".repeat(70_000)}`);
  assert.equal(read("GET", [long], false), "error(head-too-large)");
  const many = Buffer.from(start + "A: 1\r\n".repeat(257));
  assert.equal(read("GET", [many], false), "error(too-many-headers)");
  const hints = Buffer.from("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(17));
  assert.match(
    read("GET", [hints], false),
    /^(info\(103\|\) ){16}error\(too-many-informational\)$/,
  );
});

test("ResponseDecoder reads one response after another on a connection", () => {
  const decoder = new ResponseDecoder();
  for (const body of ["one", "three"]) {
    decoder.expect("GET");
    assert.equal(decoder.begun, false);
    decoder.push(Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`));
    const types = [];
    for (let event = decoder.next(); event; event = decoder.next()) types.push(event.type);
    assert.deepEqual(types, ["head", "data", "end"]);
    assert.equal(decoder.reusable, true);
  }
});

test("ResponseDecoder refuses a request on a connection that is not free", () => {
  const decoder = new ResponseDecoder();
  decoder.expect("GET");
  assert.throws(() => decoder.expect("GET"), TypeError);
});

test("ResponseDecoder hands body bytes on without copying them", () => {
  const decoder = new ResponseDecoder();
  decoder.expect("GET");
  decoder.push(Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"));
  assert.equal(decoder.next()?.type, "head");
  const chunk = Buffer.from("body");
  decoder.push(chunk);
  const event = decoder.next();
  assert.ok(event?.type === "data" && event.chunk.buffer === chunk.buffer);
});
