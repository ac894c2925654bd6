/** Options of the emperor itself (emperor.yaml), not of a vassal. */
import type { OptionSpec } from "../option.ts";
import { vassalOption } from "../option.ts";
import { listOf } from "../types/lists.ts";
import { path } from "../types/path.ts";
import { choice, integer, text } from "../types/scalars.ts";
import { duration } from "../types/units.ts";

const family = "emperor";

export type LogLevel = "debug" | "info" | "warn" | "error";

const folder = path({ against: "file", label: "the path of a folder" });

function emperorOption<T>(spec: Parameters<typeof vassalOption<T>>[0]): OptionSpec<T> {
  return { ...vassalOption(spec), scope: "emperor" };
}

export const vassals = emperorOption({
  name: "vassals",
  family,
  type: listOf(folder),
  default: [],
  defaultText: "/etc/tsgi/vassals as root, $XDG_CONFIG_HOME/tsgi/vassals otherwise",
  doc: "The folders of vassal files: one, or a list.",
  example: "vassals: /etc/tsgi/vassals",
  aliases: [{ name: "emperor" }],
});

export const runtimeDir = emperorOption({
  name: "runtime-dir",
  family,
  type: folder,
  defaultText: "/run/tsgi as root, $XDG_RUNTIME_DIR/tsgi otherwise",
  doc: "The folder of control.sock, stats.sock, the lock and what a later emperor needs to take over running vassals.",
  example: "runtime-dir: /run/tsgi",
});

export const stateDir = emperorOption({
  name: "state-dir",
  family,
  type: folder,
  defaultText: "/var/lib/tsgi as root, $XDG_STATE_HOME/tsgi otherwise",
  doc: "The folder of the event journal, the receipts and the vassals' logs.",
  example: "state-dir: /var/lib/tsgi",
});

export const spawnConcurrency = emperorOption({
  name: "spawn-concurrency",
  family,
  type: integer({ min: 1, max: 1024 }),
  defaultText: "twice the number of cores",
  doc: "How many generations may be starting at the same time. More is not faster: starting is work for the processor.",
  example: "spawn-concurrency: 8",
});

export const rescanInterval = emperorOption({
  name: "rescan-interval",
  family,
  type: duration({ min: 500 }),
  default: 10_000,
  doc: "How often the folders are read in full, beside the notifications of the kernel, which network file systems do not send. Units: ms, s, m, h.",
  example: "rescan-interval: 30s",
  aliases: [
    {
      name: "emperor-freq",
      note: "a bare number counts seconds",
      type: duration({ min: 500, bare: "s" }),
    },
  ],
});

export const logLevel = emperorOption<LogLevel>({
  name: "log-level",
  family,
  type: choice(["debug", "info", "warn", "error"]),
  default: "info",
  doc: "The least important messages that the emperor still logs.",
  example: "log-level: debug",
});

export const envPass = emperorOption({
  name: "env-pass",
  family,
  type: listOf(
    text({
      label: "the name of an environment variable",
      word: "name",
      maxLength: 255,
      pattern: /^[A-Za-z_][A-Za-z0-9_]*$/,
    }),
  ),
  default: [],
  defaultText: "none",
  doc: "Names of environment variables of the emperor that vassals inherit, beside PATH, HOME, LANG and the like. Everything else of the emperor's environment stays with it.",
  example: "env-pass: [HTTPS_PROXY, TZ]",
});
