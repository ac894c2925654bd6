/** Application kind -> its container; only the one that is used is evaluated, which keeps the boot short. */
import type { AppConfig } from "../config/vassal-config.ts";
import type { CreateRuntime } from "../runtimes/runtime.ts";

const RUNTIMES: { readonly [K in AppConfig["kind"]]: () => Promise<CreateRuntime> } = {
  python: async () => (await import("../runtimes/python/runtime.ts")).createPythonRuntime,
  node: async () => (await import("../runtimes/node/runtime.ts")).createNodeRuntime,
  static: async () => (await import("../runtimes/static/runtime.ts")).createStaticRuntime,
  exec: async () => (await import("../runtimes/exec/runtime.ts")).createExecRuntime,
};

export function loadRuntime(kind: AppConfig["kind"]): Promise<CreateRuntime> {
  return RUNTIMES[kind]();
}
