/** Application kind -> its container; only the one that is used is evaluated, which keeps the boot short. */
import type { VassalSpec } from "../ipc/vassal-spec.ts";
import type { CreateRuntime } from "../runtimes/runtime.ts";

type Kind = VassalSpec["config"]["app"]["kind"];

const RUNTIMES: { readonly [K in Kind]: (spec: VassalSpec) => Promise<CreateRuntime> } = {
  python: async (spec) => {
    // Two programs boot here, this one and the interpreter: on two cores side by side.
    const early = (await import("../runtimes/python/loader-process.ts")).startEarly(spec);
    const { createPythonRuntime } = await import("../runtimes/python/runtime.ts");
    return (host) => createPythonRuntime(host, early);
  },
  node: async () => (await import("../runtimes/node/runtime.ts")).createNodeRuntime,
  static: async () => (await import("../runtimes/static/runtime.ts")).createStaticRuntime,
  exec: async () => (await import("../runtimes/exec/runtime.ts")).createExecRuntime,
};

export function loadRuntime(spec: VassalSpec): Promise<CreateRuntime> {
  return RUNTIMES[spec.config.app.kind](spec);
}
