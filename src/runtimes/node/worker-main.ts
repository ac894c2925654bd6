/**
 * Entry of a worker process, preloaded by `node --require <this> <target>`: the application stays the main module, so
 * that `require.main`, `import.meta.main` and `process.argv` are what an unchanged program expects.
 */
import { isMainThread, workerData } from "node:worker_threads";
import { loadApplication } from "./load-application.ts";
import { runWatchdog } from "./watchdog-thread.ts";
import type { WatchdogData } from "./watchdog-memory.ts";
import { takeSettings } from "./worker-settings.ts";

if (isMainThread) {
  const settings = takeSettings(process.env);
  // Without settings this is a child of the application that has inherited its flags: none of our business.
  if (settings !== undefined) loadApplication(settings);
} else if (isWatchdog(workerData)) {
  runWatchdog(workerData);
}

function isWatchdog(data: unknown): data is WatchdogData {
  return (
    typeof data === "object" && data !== null && "role" in data && data.role === "tsgi-watchdog"
  );
}
