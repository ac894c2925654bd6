/** Programs in Go, Rust and Python behind the front, by inherited socket and by $PORT. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createExecRuntime } from "../../src/runtimes/exec/runtime.ts";
import { ask } from "../kit/http.ts";
import { APPS } from "../kit/paths.ts";
import { missing } from "../kit/programs.ts";
import { Site } from "./exec-front.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "tsgi-exec-"));
after(() => rmSync(FOLDER, { recursive: true }));

interface Language {
  readonly name: string;
  readonly compiler: string;
  readonly build: (binary: string) => void;
}

const LANGUAGES: readonly Language[] = [
  {
    name: "go",
    compiler: "go",
    build: (binary) => {
      const caches = { GOCACHE: join(FOLDER, "cache"), GOPATH: join(FOLDER, "go") };
      const env = { ...process.env, ...caches, GO111MODULE: "off", CGO_ENABLED: "0" };
      execFileSync("go", ["build", "-o", binary, "server.go"], { cwd: join(APPS, "go"), env });
    },
  },
  {
    name: "rust",
    compiler: "rustc",
    build: (binary) => {
      execFileSync("rustc", ["-O", "-o", binary, join(APPS, "rust/server.rs")]);
    },
  },
];

for (const { name, compiler, build } of LANGUAGES) {
  describe(name, { skip: missing(compiler) }, () => {
    before(() => build(join(FOLDER, name)));
    for (const socket of ["listen-fds", "port"] as const) {
      test(`a ${name} program serves by ${socket}`, async () => {
        const app = { kind: "exec", argv: [`./${name}`] } as const;
        await using site = await Site.open(createExecRuntime, { app, release: FOLDER, socket });
        const hello = await ask({ port: site.port }, "/", { headers: { host: "example.org" } });
        assert.deepEqual([hello.status, hello.body], [200, `${name} example.org 127.0.0.1`]);
        assert.ok(site.lines.includes(`w1 out| ${name} serves`));
        const pid = Number((await ask({ port: site.port }, "/pid")).body);
        assert.equal(site.runtime.workers()[0]?.pid, pid);
      });

      test(`bodies go through to a ${name} program by ${socket} unchanged both ways`, async () => {
        const app = { kind: "exec", argv: [join(FOLDER, name)] } as const;
        await using site = await Site.open(createExecRuntime, { app, release: FOLDER, socket });
        for (const size of [0, 1, 65_535, 65_536, 65_537, 10 * 1024 * 1024]) {
          for (const headers of [{ "content-length": size }, { "transfer-encoding": "chunked" }]) {
            const body = Buffer.alloc(size, "0123456789abcdef!");
            const answer = await ask({ port: site.port }, "/echo", {
              method: "POST",
              body,
              headers,
            });
            assert.equal(answer.status, 200);
            assert.ok(
              answer.body === body.toString(),
              `${size} bytes with ${Object.keys(headers).join()}`,
            );
          }
        }
      });
    }
  });
}

test(
  "a python program that only knows $PORT serves, with HTTP/1.0 and one connection per request",
  { skip: missing("python3") },
  async () => {
    const app = { kind: "exec", argv: ["python3", "simple.py"] } as const;
    const release = join(APPS, "exec");
    await using site = await Site.open(createExecRuntime, { app, release, socket: "port" });
    for (let count = 0; count < 3; count += 1) {
      const answer = await ask({ port: site.port }, "/simple.py");
      assert.match(answer.body, /^"""A program that knows nothing but \$PORT/);
    }
    assert.equal((await ask({ port: site.port }, "/simple.py", { method: "HEAD" })).body, "");
    assert.equal((await ask({ port: site.port }, "/nothing")).status, 404);
  },
);
