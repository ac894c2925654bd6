/** `run`: composes the emperor from the machine's doors, opens its sockets, and lives until a signal ends it. */
import { homedir, availableParallelism } from "node:os";
import { join } from "node:path";
import { TsgiError, messageOf } from "../../core/errors.ts";
import { EXIT } from "../../core/exit-codes.ts";
import { VERSION } from "../../core/version.ts";
import type { Log } from "../../core/log.ts";
import { openControlSocket } from "../../emperor/control-socket.ts";
import type { EmperorControl } from "../../emperor/control.ts";
import { createEmperor } from "../../emperor/emperor.ts";
import { openStatsSocket } from "../../emperor/stats-socket.ts";
import { takeLock } from "../../platform/lock.ts";
import { createLogger } from "../../platform/logger.ts";
import { isOpenForWriting, loadNative } from "../../platform/native.ts";
import { peerOf } from "../../platform/peer.ts";
import { systemProcesses } from "../../platform/processes.ts";
import { systemSockets } from "../../platform/sockets.ts";
import { connectServiceManager } from "../../platform/systemd.ts";
import { systemClock, systemTimers } from "../../platform/timers.ts";
import { systemUsage } from "../../platform/usage.ts";
import { watchDirectory } from "../../platform/watcher.ts";
import { announceServing } from "../announcement.ts";
import { coalesced } from "../coalesced.ts";
import { prepareFolders } from "../run-folders.ts";
import { runSettings } from "../run-settings.ts";
import type { RunFlags, RunSettings } from "../run-settings.ts";
import { installedPrograms } from "./run-vassal.ts";

/** Between two rescans that SIGHUP asks for. */
const RESCAN_GAP_MS = 2000;

/** Resolves with the exit code when the fleet is stopped. Throws TsgiError for what can never work. */
export async function run(flags: RunFlags): Promise<number> {
  process.umask(0o022);
  loadNative();
  const uid = process.getuid?.() ?? 0;
  const cwd = process.cwd();
  const settings = runSettings(flags, { uid, env: process.env, home: homedir(), cwd });
  prepareFolders(settings, uid);
  const lock = takeLock(join(settings.runtimeDir, "emperor.lock"));
  if (!lock.held) {
    const who = lock.pid === 0 ? "another emperor" : `the emperor with pid ${lock.pid}`;
    throw new TsgiError(
      "TSGI_EMPEROR_RUNNING",
      `Cannot use runtime dir "${settings.runtimeDir}": ${who} runs there`,
    );
  }
  const log = createLogger({ format: flags.logFormat ?? "text", level: settings.logLevel });
  for (const warning of settings.warnings) log.warn({}, warning);
  // No folder of the user's is kept busy; every path is absolute by now.
  process.chdir("/");
  try {
    await live(settings, { uid, cwd, log });
  } finally {
    lock.release();
  }
  process.exit(EXIT.done);
}

interface Self {
  readonly uid: number;
  readonly cwd: string;
  readonly log: Log;
}

/** From the first scan to the last vassal. */
async function live(settings: RunSettings, { uid, cwd, log }: Self): Promise<void> {
  const emperor = createEmperor({
    settings: { ...settings, rescanMs: settings.rescanIntervalMs },
    clock: systemClock,
    timers: systemTimers,
    log,
    sockets: systemSockets,
    processes: systemProcesses,
    usage: systemUsage,
    watchDirectory,
    isOpenForWriting,
    peerOf,
    programs: installedPrograms(),
    env: process.env,
    self: {
      pid: process.pid,
      uid,
      gid: process.getgid?.() ?? 0,
      cwd,
      cores: availableParallelism(),
      rssBytes: () => process.memoryUsage.rss(),
    },
    random: () => Math.random(),
  });
  const manager = connectServiceManager(process.env, (message) => {
    log.warn({}, message);
  });
  const ended = Promise.withResolvers<void>();
  // Asked a second time, the emperor hurries: it kills what it waited for.
  const shutdown = async (reason: string): Promise<void> => {
    manager.stopping(`Stopping: ${reason}`);
    await emperor.shutdown(reason);
    ended.resolve();
  };
  const control = await openControlSocket({
    path: join(settings.runtimeDir, "control.sock"),
    control: emperor,
    emperorUid: uid,
    log,
    shutdown,
  });
  const stats = await openStatsSocket({
    path: join(settings.runtimeDir, "stats.sock"),
    control: emperor,
    emperorUid: uid,
  });
  handleSignals(emperor, log, (reason) => {
    shutdown(reason).catch((error: unknown) => {
      ended.reject(error);
    });
  });
  const quiet = announce(emperor);
  await emperor.start();
  manager.ready(`tsgi ${VERSION}: ${emperor.snapshot().vassals.length} vassals`);
  manager.startWatchdog();
  await ended.promise;
  quiet();
  manager.close();
  await Promise.all([control.close(), stats.close()]);
}

function handleSignals(
  emperor: EmperorControl,
  log: Log,
  shutdown: (reason: string) => void,
): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      shutdown(signal);
    });
  }
  const rescan = coalesced(RESCAN_GAP_MS, systemTimers, async () => {
    log.info({}, "SIGHUP: the vassal folders are read again");
    await emperor.rescan();
  });
  process.on("SIGHUP", rescan);
  // Vassals live on; the next emperor starts from a clean state.
  process.on("uncaughtException", (error) => {
    log.error({ stack: error.stack }, `Cannot go on: ${messageOf(error)}`);
    process.exit(EXIT.failed);
  });
}

/** For a person who looks on: which vassal serves where, as it comes up. */
function announce(emperor: EmperorControl): () => void {
  const watched = process.stdout.isTTY || process.env["npm_lifecycle_event"] === "start";
  if (!watched) return () => undefined;
  return announceServing(emperor, (text) => {
    if (process.stdout.writable) process.stdout.write(text);
  });
}
