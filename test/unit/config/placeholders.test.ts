/** uWSGI's variables in values. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadVassalConfig } from "../../../src/config/load.ts";
import { formatProblem } from "../../../src/config/problem.ts";

function env(
  lines: string,
  file = "/srv/fleet/blog.x.ini",
): Readonly<Record<string, string>> | string {
  const text = `[uwsgi]\nhttp-socket = :80\nmodule = a:b\n${lines}\n`;
  const result = loadVassalConfig({ file, bytes: Buffer.from(text) });
  if (result.ok) return { ...result.config.env };
  return result.problems.map((problem) => formatProblem(problem)).join("\n");
}

test("magic variables stand for the parts of the file's own path", () => {
  assert.deepEqual(env("env = A=%p|%o|%s|%d|%v|%c|%n|%e|%N|%%|100%|%M"), {
    A: "/srv/fleet/blog.x.ini|/srv/fleet/blog.x.ini|blog.x.ini|/srv/fleet/|/srv/fleet|fleet|blog.x|ini|blog.x|%%|100%|%M",
  });
  assert.deepEqual(env("env = A=%d%c", "/blog.ini"), { A: "/" });
});

test("placeholders take options, own keys and set-placeholder, last definition first, nested", () => {
  assert.deepEqual(env("a = 1\nb = %(a)2\na = 3\nenv = X=%(b)-%( module )"), { X: "32-a:b" });
  assert.deepEqual(env("set-placeholder = a=1\nset-ph = b=%(a)2\nset = c=%(b)3\nenv = X=%(c)"), {
    X: "123",
  });
  assert.deepEqual(env("env = X=%(y)\ny = later"), { X: "later" });
});

test("an own key that nothing asks for is a typing error", () => {
  assert.match(
    JSON.stringify(env("procesess = 4")),
    /:4:1: unknown key 'procesess'; did you mean 'processes'/,
  );
});

test("an unclosed placeholder is text, an unknown one an error in every option but the log format", () => {
  assert.deepEqual(env("env = X=%(y"), { X: "%(y" });
  assert.match(
    JSON.stringify(env("env = X=%(y)")),
    /:4:7: env: '%\(y\)' is not defined in this file; add/,
  );
  assert.deepEqual(env("log-format = %(uri)"), {});
});
