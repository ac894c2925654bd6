import assert from "node:assert/strict";
import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { ListenAddress } from "../../src/config/vassal-config.ts";
import { TsgiError } from "../../src/core/errors.ts";
import { takeLock } from "../../src/platform/lock.ts";
import { isListening, isOpenForWriting } from "../../src/platform/native.ts";
import { peerOf } from "../../src/platform/peer.ts";
import { listenAt, localPort } from "../../src/platform/sockets.ts";

const folder = mkdtempSync(join(tmpdir(), "tsgi-platform-"));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

function tcp(host: string, port = 0): ListenAddress {
  return { kind: "tcp", protocol: "http", host, port, text: `http://${host}:${port}` };
}

function unix(path: string): ListenAddress {
  return { kind: "unix", protocol: "http", path, text: `http+unix://${path}` };
}

function listenFailure(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof TsgiError);
    assert.equal(error.code, "TSGI_LISTEN_FAILED");
    assert.match(error.message, message);
    return true;
  };
}

/** File status flags, octal, as the kernel shows them. */
function flagsOf(fd: number): number {
  const text = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
  return Number.parseInt(/^flags:\s+(\d+)/m.exec(text)?.[1] ?? "", 8);
}

const NON_BLOCKING = 0o4000;
const CLOSE_ON_EXEC = 0o2000000;

for (const host of ["127.0.0.1", "localhost", "", "*"]) {
  test(`listenAt() opens a close-on-exec, non-blocking socket on "${host}"`, () => {
    const socket = listenAt(tcp(host));
    assert.equal(isListening(socket.fd), true);
    assert.ok(localPort(socket.fd) > 0);
    assert.equal(flagsOf(socket.fd) & NON_BLOCKING, NON_BLOCKING);
    assert.equal(flagsOf(socket.fd) & CLOSE_ON_EXEC, CLOSE_ON_EXEC);
    socket.close();
    socket.close();
    assert.throws(() => fstatSync(socket.fd), /EBADF/);
  });
}

test("listenAt() says what to do about a port in use, a foreign address and a name", () => {
  const first = listenAt(tcp("127.0.0.1"));
  const port = localPort(first.fd);
  assert.throws(() => listenAt(tcp("127.0.0.1", port)), listenFailure(/another program listens/));
  first.close();
  listenAt(tcp("127.0.0.1", port)).close();
  assert.throws(() => listenAt(tcp("192.0.2.1")), listenFailure(/does not belong to this machine/));
  assert.throws(() => listenAt(tcp("example.com")), listenFailure(/write an IP address/));
});

test("listenAt() leaks no descriptor when it fails", () => {
  const first = listenAt(tcp("127.0.0.1"));
  const port = localPort(first.fd);
  const before = openSync("/dev/null", "r");
  closeSync(before);
  for (let index = 0; index < 20; index += 1) {
    assert.throws(() => listenAt(tcp("127.0.0.1", port)));
    assert.throws(() => listenAt(unix(join(folder, "no/such/folder"))));
  }
  const afterwards = openSync("/dev/null", "r");
  closeSync(afterwards);
  assert.equal(afterwards, before);
  first.close();
});

test("listenAt() makes a unix socket 0660 whatever the umask, and removes it with close()", () => {
  const path = join(folder, "mode.sock");
  const before = process.umask(0);
  const socket = listenAt(unix(path));
  assert.equal(statSync(path).mode & 0o777, 0o660);
  assert.equal(process.umask(before), 0);
  socket.close();
  assert.equal(existsSync(path), false);
});

test("listenAt() replaces a stale unix socket, but not one that somebody answers", async () => {
  const path = join(folder, "stale.sock");
  const living = createServer().listen(path);
  await new Promise((resolve) => living.once("listening", resolve));
  assert.throws(() => listenAt(unix(path)), listenFailure(/another program answers/));
  assert.equal(existsSync(path), true);
  await new Promise((resolve) => living.close(resolve));

  // A socket whose owner is gone without removing it: bind one, close only its descriptor.
  const dead = listenAt(unix(path));
  closeSync(dead.fd);
  assert.equal(existsSync(path), true);
  const socket = listenAt(unix(path));
  assert.equal(isListening(socket.fd), true);
  socket.close();
});

test("listenAt() never removes what is not a socket", () => {
  const path = join(folder, "precious");
  writeFileSync(path, "data");
  assert.throws(() => listenAt(unix(path)), listenFailure(/is not a socket/));
  const link = join(folder, "link");
  symlinkSync(path, link);
  assert.throws(() => listenAt(unix(link)), listenFailure(/is not a socket/));
  assert.equal(readFileSync(path, "utf8"), "data");
});

test("close() leaves a path alone that is another's socket by now", () => {
  const path = join(folder, "taken.sock");
  const first = listenAt(unix(path));
  rmSync(path);
  const second = listenAt(unix(path));
  first.close();
  assert.equal(existsSync(path), true);
  second.close();
  assert.equal(existsSync(path), false);
});

test("listenAt() refuses a unix path of 108 bytes with its own code", () => {
  assert.throws(
    () => listenAt(unix(`/tmp/${"x".repeat(103)}`)),
    (error) => error instanceof TsgiError && error.code === "TSGI_PATH_TOO_LONG",
  );
});

test("listenAt() opens abstract unix sockets", () => {
  const socket = listenAt(unix(`@tsgi-test-${process.pid}`));
  assert.equal(isListening(socket.fd), true);
  socket.close();
});

test("isOpenForWriting() sees a writer, and lets later writers in", () => {
  const path = join(folder, "slow-copy");
  writeFileSync(path, "a");
  assert.equal(isOpenForWriting(path), false);
  const writer = openSync(path, "a");
  assert.equal(isOpenForWriting(path), true);
  closeSync(writer);
  assert.equal(isOpenForWriting(path), false);
  closeSync(openSync(path, "a"));
});

test("isOpenForWriting() cannot tell for folders and missing files", () => {
  assert.equal(isOpenForWriting(folder), undefined);
  assert.equal(isOpenForWriting(join(folder, "missing")), undefined);
});

test("takeLock() is the kernel's: held once, told with the pid, free again after release", () => {
  const path = join(folder, "lock");
  writeFileSync(path, "99999999999\n");
  const first = takeLock(path);
  assert.ok(first.held);
  const second = takeLock(path);
  assert.deepEqual(second, { held: false, pid: process.pid });
  first.release();
  const third = takeLock(path);
  assert.ok(third.held);
  third.release();
  chmodSync(path, 0o600);
});

test("peerOf() names the process at the other end", async () => {
  const path = join(folder, "peer.sock");
  const server = createServer();
  const accepted = new Promise<ReturnType<typeof peerOf>>((resolve) => {
    server.on("connection", (socket) => {
      resolve(peerOf(socket));
      socket.destroy();
    });
  });
  server.listen(path, () => connect(path).on("error", () => undefined));
  assert.deepEqual(await accepted, {
    pid: process.pid,
    uid: process.getuid?.(),
    gid: process.getgid?.(),
  });
  await new Promise((resolve) => server.close(resolve));
});
