/** `health`: a generation takes no traffic before the application says that it is well. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../kit/eventually.ts";
import { ask } from "../kit/http.ts";
import { freePort } from "../kit/ports.ts";
import { missing } from "../kit/programs.ts";
import { TestEmperor } from "../kit/start-emperor.ts";

const PYTHON = `
import os
def application(environ, start_response):
    well = environ["PATH_INFO"] != "/health" or os.path.exists("well")
    start_response("200 OK" if well else "503 Service Unavailable", [("Content-Length", "2")])
    return [b"ok"]
`;
const NODE = `
import { existsSync } from "node:fs";
export default (request) => {
  const well = new URL(request.url).pathname !== "/health" || existsSync("well");
  return new Response("ok", { status: well ? 200 : 503 });
};
`;

for (const [kind, file, source, skip] of [
  ["python", "app.py", PYTHON, missing("python3")],
  ["node", "app.mjs", NODE, false],
] as const) {
  test(
    `a ${kind} generation is up but not ready until its health path answers 200`,
    { skip },
    async () => {
      await using emperor = await TestEmperor.start();
      const port = await freePort();
      writeFileSync(join(emperor.folder, file), source);
      emperor.drop(
        "app.yaml",
        `listen: http://127.0.0.1:${port}\n${kind}: ${file}\ndirectory: ${emperor.folder}\nhealth: /health\n`,
      );
      await emperor.until("app", "up", (vassal) => vassal.up && !vassal.ready && !vassal.serving);
      await eventually("it was asked and said no", () =>
        /health.*503|503.*health/i.test(emperor.log("app")),
      );
      assert.equal((await emperor.vassal("app"))?.serving, false);
      writeFileSync(join(emperor.folder, "well"), "");
      const waited = await emperor.wait("app");
      emperor.remember();
      assert.equal(waited.code, 0, waited.stdout + waited.stderr);
      assert.equal((await ask({ port }, "/")).body, "ok");
    },
  );
}
