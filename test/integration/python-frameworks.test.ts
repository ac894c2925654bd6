/** Flask and Django as Debian ships them, with one thread and with several. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ask } from "../kit/http.ts";
import { PYTHON_APPS, startPython } from "../kit/python-runtime.ts";

const INTERPRETER = "/usr/bin/python3";
const NUMBERS = Array.from({ length: 1000 }, (_, number) => `${number}\n`).join("");

function missingModule(name: string): false | string {
  try {
    execFileSync(INTERPRETER, ["-c", `import ${name}`], { stdio: "ignore" });
    return false;
  } catch {
    return `needs ${name}: apt-get install python3-flask python3-django`;
  }
}

for (const threads of [1, 3]) {
  test(
    `Flask: templates of real life, ${threads} thread(s)`,
    {
      skip: missingModule("flask"),
    },
    async () => {
      await using app = await startPython(PYTHON_APPS, "flask_app:app", {
        interpreter: INTERPRETER,
        threads,
      });
      const hello = await ask(app, "/");
      assert.equal(hello.body, "hello from flask");
      assert.equal(hello.headers["content-length"], "16");
      assert.equal((await ask(app, "/stream")).body, NUMBERS);
      const json = JSON.stringify({ a: [1, "é"] });
      const headers = { "Content-Type": "application/json" };
      assert.deepEqual(
        JSON.parse((await ask(app, "/json", { method: "POST", body: json, headers })).body),
        JSON.parse(json),
      );
      const form = new FormData();
      form.append("note", "kept");
      form.append("file", new Blob(["x".repeat(300_000)]), "x.txt");
      const upload = await fetch(`${app.url}/upload`, { method: "POST", body: form });
      assert.deepEqual(await upload.json(), { size: 300_000, note: "kept" });
      assert.equal((await ask(app, "/error")).status, 500);
      await app.line(/ValueError: flask error/);
      assert.equal((await ask(app, "/nothing")).status, 404);
    },
  );

  test(
    `Django: hello, upload, stream, file, ${threads} thread(s)`,
    {
      skip: missingModule("django"),
    },
    async () => {
      await using app = await startPython(PYTHON_APPS, "django_app", {
        interpreter: INTERPRETER,
        threads,
      });
      assert.equal((await ask(app, "/")).body, "hello from django");
      const body = Buffer.alloc(2_000_000, "d");
      const upload = await ask(app, "/upload", { method: "POST", body });
      // Django wants its CSRF middleware for forms only.
      assert.deepEqual(JSON.parse(upload.body), { size: 2_000_000 });
      assert.equal((await ask(app, "/stream")).body, NUMBERS);
      assert.equal(
        (await ask(app, "/file")).body,
        readFileSync(join(PYTHON_APPS, "django_app.py"), "utf8"),
      );
      assert.equal((await ask(app, "/nothing")).status, 404);
    },
  );
}
