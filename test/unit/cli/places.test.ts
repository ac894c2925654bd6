import assert from "node:assert/strict";
import { test } from "node:test";
import { clientRuntimeDirs, defaultPlaces } from "../../../src/cli/places.ts";

test("defaultPlaces() are the system's for root", () => {
  assert.deepEqual(defaultPlaces(0, { XDG_RUNTIME_DIR: "/x" }, "/root"), {
    vassalDir: "/etc/tsgi/vassals",
    settingsFile: "/etc/tsgi/emperor.yaml",
    runtimeDir: "/run/tsgi",
    stateDir: "/var/lib/tsgi",
  });
});

test("defaultPlaces() follow XDG for everybody else, and ignore relative values", () => {
  const env = { XDG_CONFIG_HOME: "/c", XDG_STATE_HOME: "s", XDG_RUNTIME_DIR: "/r" };
  assert.deepEqual(defaultPlaces(1000, env, "/home/u"), {
    vassalDir: "/c/tsgi/vassals",
    settingsFile: "/c/tsgi/emperor.yaml",
    runtimeDir: "/r/tsgi",
    stateDir: "/home/u/.local/state/tsgi",
  });
  const bare = defaultPlaces(1000, {}, "/home/u");
  assert.equal(bare.runtimeDir, "/home/u/.local/state/tsgi/run");
});

test("clientRuntimeDirs() takes a named folder as the only one", () => {
  const base = { uid: 0, env: { TSGI_RUNTIME_DIR: "/e" }, home: "/root", cwd: "/p" };
  assert.deepEqual(clientRuntimeDirs({ ...base, flag: "run" }), ["/p/run"]);
  assert.deepEqual(clientRuntimeDirs({ ...base, flag: undefined }), ["/e"]);
  const env = { TSGI_RUNTIME_DIR: "" };
  const found = clientRuntimeDirs({ ...base, env, flag: undefined });
  assert.deepEqual(found, ["/run/tsgi", "/p/.tsgi/run"]);
});
