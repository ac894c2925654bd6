import assert from "node:assert/strict";
import test from "node:test";
import { applicationEnvironment, processEnvironment } from "../../../src/launch/environment.ts";

const EMPEROR = {
  PATH: "/usr/bin",
  HOME: "/root",
  LANG: "C.UTF-8",
  LC_ALL: "C",
  TZ: "UTC",
  SHELL: "/bin/zsh",
  TSGI_RUNTIME_DIR: "/run/x",
  NODE_OPTIONS: "--inspect",
  LD_PRELOAD: "/evil.so",
  LD_LIBRARY_PATH: "/evil",
  NOTIFY_SOCKET: "/run/notify",
  AWS_SECRET: "s",
  DATABASE_URL: "d",
};

test("processEnvironment() passes on an allow-list only", () => {
  const env = processEnvironment(EMPEROR, []);
  assert.deepEqual(Object.keys(env).sort(), ["HOME", "LANG", "LC_ALL", "PATH", "SHELL", "TZ"]);
});

test("processEnvironment() adds what the operator names", () => {
  assert.equal(processEnvironment(EMPEROR, ["DATABASE_URL"])["DATABASE_URL"], "d");
});

test("processEnvironment() has a PATH even when the emperor has none", () => {
  assert.match(processEnvironment({}, [])["PATH"] ?? "", /\/usr\/bin/);
});

test("processEnvironment() tells a vassal with another user about that user", () => {
  const env = processEnvironment(EMPEROR, [], {
    uid: 33,
    gid: 33,
    user: "www-data",
    home: "/var/www",
  });
  assert.deepEqual(
    [env["HOME"], env["USER"], env["LOGNAME"], env["SHELL"]],
    ["/var/www", "www-data", "www-data", "/bin/sh"],
  );
});

test("applicationEnvironment() lets the vassal file have the last word", () => {
  const env = applicationEnvironment(
    { PATH: "/a", TZ: "UTC" },
    { PATH: "/f", Y: "2" },
    { PATH: "/b", X: "1" },
  );
  assert.deepEqual(env, { PATH: "/b", TZ: "UTC", X: "1", Y: "2" });
});
