/** What a vassal file leaves out, filled in. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadVassalConfig } from "../../../src/config/load.ts";

test("loadVassalConfig() takes the folder of an absolute application as the directory, unless one is given", () => {
  const directoryOf = (text: string): string | undefined => {
    const bytes = Buffer.from(`listen: http://127.0.0.1:8001\n${text}`);
    const loaded = loadVassalConfig({ file: "/etc/tsgi/vassals/x.yaml", bytes });
    return loaded.ok ? loaded.config.directory : undefined;
  };
  assert.equal(directoryOf("node: /srv/blog/app.mjs\n"), "/srv/blog");
  assert.equal(directoryOf("python: /srv/blog/app.py:main\n"), "/srv/blog");
  assert.equal(directoryOf("node: app.mjs\n"), "/etc/tsgi/vassals");
  assert.equal(
    directoryOf("node: /srv/blog/app.mjs\ndirectory: /srv/blog/current\n"),
    "/srv/blog/current",
  );
});
