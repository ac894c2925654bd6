import assert from "node:assert/strict";
import { test } from "node:test";
import { TsgiError } from "../../../src/core/errors.ts";
import {
  decodePort,
  encodeInet,
  encodeInet6,
  encodeUnix,
  meaningOfHost,
} from "../../../src/platform/socket-address.ts";

test("encodeInet() writes port and address in network order", () => {
  const bytes = encodeInet("127.0.0.1", 8080);
  assert.deepEqual([...bytes.subarray(2, 8)], [0x1f, 0x90, 127, 0, 0, 1]);
  assert.equal(bytes.length, 16);
  assert.equal(decodePort(bytes), 8080);
});

const IPV6: readonly (readonly [string, string])[] = [
  ["::", "00000000000000000000000000000000"],
  ["::1", "00000000000000000000000000000001"],
  ["fe80::1:2", "fe800000000000000000000000010002"],
  ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
  ["2001:db8::", "20010db8000000000000000000000000"],
  ["::ffff:10.0.0.1", "00000000000000000000ffff0a000001"],
];
for (const [host, hex] of IPV6) {
  test(`encodeInet6() expands ${host}`, () => {
    const bytes = Buffer.from(encodeInet6(host, 1, 7));
    assert.equal(bytes.subarray(8, 24).toString("hex"), hex);
    assert.equal(bytes.length, 28);
  });
}

test("encodeUnix() takes 107 bytes and refuses 108", () => {
  assert.equal(encodeUnix(`/${"a".repeat(106)}`).length, 110);
  assert.throws(
    () => encodeUnix(`/${"ä".repeat(54)}`),
    (error) => error instanceof TsgiError && error.code === "TSGI_PATH_TOO_LONG",
  );
});

test("encodeUnix() refuses an empty path and one with NUL, and writes abstract names", () => {
  assert.throws(() => encodeUnix(""), /not empty/);
  assert.throws(() => encodeUnix("/run/a\0b"), /no NUL/);
  assert.deepEqual([...encodeUnix("@ab").subarray(2)], [0, 97, 98]);
});

test("meaningOfHost() decides without DNS", () => {
  assert.deepEqual(meaningOfHost(""), { kind: "all" });
  assert.deepEqual(meaningOfHost("*"), { kind: "all" });
  assert.deepEqual(meaningOfHost("LocalHost"), { kind: "inet", host: "127.0.0.1" });
  assert.deepEqual(meaningOfHost("[::1]"), { kind: "inet6", host: "::1", zone: "" });
  assert.deepEqual(meaningOfHost("fe80::1%eth0"), { kind: "inet6", host: "fe80::1", zone: "eth0" });
  for (const name of ["example.com", "127.1", "0x7f.0.0.1", "1.2.3.4.5", "host name"]) {
    assert.equal(meaningOfHost(name), undefined, name);
  }
});
