/** `user`: a vassal really runs as somebody else, with that user's groups, and still logs, deploys and goes. */
import assert from "node:assert/strict";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../kit/eventually.ts";
import { ask } from "../kit/http.ts";
import { DIST, ROOT } from "../kit/paths.ts";
import { freePort } from "../kit/ports.ts";
import { missing } from "../kit/programs.ts";
import { processFact } from "../kit/processes.ts";
import { TestEmperor } from "../kit/start-emperor.ts";

const NOT_ROOT = process.getuid?.() !== 0 && "needs root, to become another user";

const PYTHON = `
import os
print("loaded by", os.getuid(), flush=True)
def application(environ, start_response):
    body = ("%d %d %s" % (os.getuid(), os.getgid(), os.getgroups())).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
`;
const NODE = `
console.log("loaded by", process.getuid());
export default () => new Response(process.getuid() + " " + process.getgid() + " [" + process.getgroups() + "]");
`;

/** The program where every user may read it: a checkout may lie in a private folder. */
function installFor(everybody: string): readonly [string, string] {
  mkdirSync(join(everybody, "node_modules"), { recursive: true });
  cpSync(DIST, join(everybody, "dist"), { recursive: true });
  for (const name of ["koffi", "@koromix"]) {
    cpSync(join(ROOT, "node_modules", name), join(everybody, "node_modules", name), {
      recursive: true,
    });
  }
  cpSync(process.execPath, join(everybody, "node"));
  return [join(everybody, "node"), join(everybody, "dist", "tsgi-emperor.js")];
}

for (const [kind, file, source, skip] of [
  ["python", "app.py", PYTHON, NOT_ROOT || missing("python3")],
  ["node", "app.mjs", NODE, NOT_ROOT],
] as const) {
  test(
    `a ${kind} vassal with a user runs as that user alone, and its output is logged`,
    { skip },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "tsgi-user-"));
      chmodSync(folder, 0o755);
      await using emperor = await TestEmperor.start({
        folder,
        program: installFor(join(folder, "opt")),
      });
      const port = await freePort();
      const directory = join(folder, "app");
      mkdirSync(directory);
      writeFileSync(join(directory, file), source);
      const python = kind === "python" ? "interpreter: /usr/bin/python3\n" : "";
      emperor.drop(
        "app.yaml",
        `listen: http://127.0.0.1:${port}\n${kind}: ${file}\ndirectory: ${directory}\nuser: nobody\n${python}`,
      );
      for (const generation of [1, 2]) {
        const waited = await emperor.wait("app");
        assert.equal(waited.code, 0, waited.stdout + waited.stderr);
        assert.equal((await emperor.vassal("app"))?.generation, generation);
        assert.equal((await ask({ port }, "/")).body, "65534 65534 [65534]");
        emperor.touch("app.yaml");
      }
      assert.equal((await emperor.wait("app")).code, 0);
      emperor.remember();
      const { pid } = (await emperor.vassal("app")) ?? { pid: 0 };
      assert.ok(processFact(pid) !== undefined);
      await eventually("the output is in the log", () =>
        /app#3 w\d out\| loaded by 65534/.test(emperor.log("app")),
      );
    },
  );
}

test(
  "a vassal file that becomes unreadable stops nobody, and the status says so",
  { skip: NOT_ROOT },
  async () => {
    // Root without the capability to read everything.
    const wrap = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"];
    await using emperor = await TestEmperor.start({ wrap });
    const port = await freePort();
    const site = join(emperor.folder, "site");
    mkdirSync(site);
    writeFileSync(join(site, "index.html"), "still here");
    emperor.drop("app.yaml", `listen: http://127.0.0.1:${port}\nstatic: ${site}\n`);
    assert.equal((await emperor.wait("app")).code, 0);
    const before = await emperor.vassal("app");
    chmodSync(emperor.path("app.yaml"), 0);
    const after = await emperor.until("app", "unreadable", (vassal) =>
      /no right/.test(vassal.reason),
    );
    emperor.remember();
    assert.equal(after.pid, before?.pid);
    assert.equal((await ask({ port }, "/")).body, "still here");
  },
);
