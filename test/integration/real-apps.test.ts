/** Real frameworks and programs behind a real emperor: hello, an echoed body, a streamed one, and a deploy. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ask } from "../kit/http.ts";
import { APPS } from "../kit/paths.ts";
import { freePort } from "../kit/ports.ts";
import { missing } from "../kit/programs.ts";
import { TestEmperor } from "../kit/start-emperor.ts";

const DIRECTORY = `${APPS}real`;
const STREAM = Array.from({ length: 1000 }, (_, number) => `${number}\n`).join("");

interface RealApp {
  readonly name: string;
  readonly keys: string;
  readonly skip: false | string;
  /** Django reads no body without a Content-Length, behind any server. */
  readonly chunked?: false;
  /** Builds what `keys` names with {out}, the test's own folder. */
  readonly build?: (out: string) => void;
}

function missingPython(module: string, debian: string): false | string {
  if (!existsSync("/usr/bin/python3")) return missing("python3");
  try {
    execFileSync("/usr/bin/python3", ["-c", `import ${module}`], { stdio: "ignore" });
    return false;
  } catch {
    return `needs the ${module} module: apt-get install ${debian}`;
  }
}

const REAL_APPS: readonly RealApp[] = [
  {
    name: "flask",
    keys: "python: flask_app:app\ninterpreter: /usr/bin/python3\nworkers: 2",
    skip: missingPython("flask", "python3-flask"),
  },
  {
    name: "django",
    keys: "python: django_app.py\ninterpreter: /usr/bin/python3\nthreads: 4",
    skip: missingPython("django", "python3-django"),
    chunked: false,
  },
  { name: "express", keys: "node: express_app.mjs\nworkers: 2", skip: false },
  { name: "fastify", keys: "node: fastify_app.mjs", skip: false },
  { name: "hono", keys: "node: hono_app.mjs", skip: false },
  {
    name: "go",
    keys: "exec: {out}/go-server\nexec-socket: listen-fds",
    skip: missing("go"),
    build: (out) => {
      const env = {
        ...process.env,
        GOCACHE: `${out}/cache`,
        GOPATH: `${out}/go`,
        GO111MODULE: "off",
      };
      execFileSync("go", ["build", "-o", `${out}/go-server`, "server.go"], { cwd: DIRECTORY, env });
    },
  },
  {
    name: "rust",
    keys: "exec: {out}/rust-server\nexec-socket: port",
    skip: missing("rustc"),
    build: (out) => {
      execFileSync("rustc", ["-O", "-o", `${out}/rust-server`, "server.rs"], { cwd: DIRECTORY });
    },
  },
];

for (const app of REAL_APPS) {
  test(
    `${app.name} serves hello, echo and stream, and is deployed by a touch`,
    { skip: app.skip },
    async () => {
      await using emperor = await TestEmperor.start();
      app.build?.(emperor.folder);
      const port = await freePort();
      const keys = app.keys.replace("{out}", emperor.folder);
      emperor.drop(
        `${app.name}.yaml`,
        `listen: http://127.0.0.1:${port}\ndirectory: ${DIRECTORY}\n${keys}\n`,
      );
      for (const generation of [1, 2]) {
        const waited = await emperor.wait(app.name);
        assert.equal(waited.code, 0, waited.stdout + waited.stderr);
        assert.equal((await emperor.vassal(app.name))?.generation, generation);
        assert.equal((await ask({ port }, "/")).body, `hello from ${app.name}`);
        for (const size of [0, 1, 65_535, 65_536, 65_537, 1_000_000]) {
          const body = "x".repeat(size);
          const answer = await ask({ port }, "/echo", { method: "POST", body });
          assert.equal(answer.status, 200);
          assert.ok(answer.body === body, `${size} bytes come back unchanged`);
        }
        const chunked = await ask({ port }, "/echo", {
          method: "POST",
          body: "in chunks",
          headers: { "transfer-encoding": "chunked" },
        });
        assert.equal(chunked.body, app.chunked === false ? "" : "in chunks");
        assert.equal((await ask({ port }, "/stream")).body, STREAM);
        emperor.touch(`${app.name}.yaml`);
      }
      assert.equal((await emperor.wait(app.name)).code, 0);
      emperor.remember();
      assert.ok(existsSync(join(emperor.stateDir, "receipts")));
    },
  );
}
