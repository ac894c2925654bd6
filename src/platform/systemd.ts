/** What we tell the service manager: sd_notify(3) datagrams and the watchdog. Does nothing without one. */
import { messageOf } from "../core/errors.ts";
import { sendDatagram } from "./native.ts";
import { encodeUnix } from "./socket-address.ts";

export interface ServiceManager {
  readonly present: boolean;
  /** "STATUS=…" for systemctl status; line breaks become spaces. */
  status(text: string): void;
  ready(text: string): void;
  reloading(): void;
  stopping(text: string): void;
  /** Starts the keep-alive when the unit has WatchdogSec; it comes from the event loop, so a stuck loop is noticed. */
  startWatchdog(): void;
  close(): void;
}

/** The environment variables that sd_notify(3) and sd_watchdog_enabled(3) define. */
export interface NotifyEnvironment {
  readonly NOTIFY_SOCKET?: string | undefined;
  readonly WATCHDOG_USEC?: string | undefined;
  readonly WATCHDOG_PID?: string | undefined;
}

export function connectServiceManager(
  env: NotifyEnvironment,
  onProblem: (message: string) => void,
): ServiceManager {
  const address = notifyAddress(env.NOTIFY_SOCKET);
  let complained = false;
  let watchdog: NodeJS.Timeout | undefined;
  const send = (lines: readonly string[]): void => {
    if (address === undefined) return;
    const problem = trySend(address, `${lines.join("\n")}\n`);
    // Once is enough: a manager that is gone must not fill the log.
    if (problem !== undefined && !complained) {
      complained = true;
      onProblem(`Cannot notify the service manager: ${problem}`);
    }
  };
  return {
    present: address !== undefined,
    status: (text) => {
      send([statusLine(text)]);
    },
    ready: (text) => {
      send(["READY=1", statusLine(text)]);
    },
    reloading: () => {
      // Type=notify-reload asks for the time at which the reload began, on the monotonic clock.
      send(["RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]);
    },
    stopping: (text) => {
      send(["STOPPING=1", statusLine(text)]);
    },
    startWatchdog: () => {
      const everyMs = watchdogIntervalMs(env, process.pid);
      if (address === undefined || everyMs === undefined || watchdog !== undefined) return;
      send(["WATCHDOG=1"]);
      watchdog = setInterval(() => {
        send(["WATCHDOG=1"]);
      }, everyMs);
      watchdog.unref();
    },
    close: () => {
      clearInterval(watchdog);
      watchdog = undefined;
    },
  };
}

/** Half of WATCHDOG_USEC, in ms, when the watchdog is meant for `pid`. */
export function watchdogIntervalMs(env: NotifyEnvironment, pid: number): number | undefined {
  if (env.WATCHDOG_PID !== undefined && env.WATCHDOG_PID !== String(pid)) return undefined;
  if (env.WATCHDOG_USEC === undefined || !/^\d{1,18}$/.test(env.WATCHDOG_USEC)) return undefined;
  const halfMs = Math.floor(Number(env.WATCHDOG_USEC) / 2000);
  return halfMs > 0 ? halfMs : undefined;
}

function notifyAddress(path: string | undefined): Uint8Array | undefined {
  if (path === undefined || !/^[/@]./.test(path)) return undefined;
  return encodeUnix(path);
}

function statusLine(text: string): string {
  return `STATUS=${text.replaceAll(/\s+/g, " ")}`;
}

function trySend(address: Uint8Array, text: string): string | undefined {
  try {
    return sendDatagram(address, Buffer.from(text));
  } catch (error) {
    return messageOf(error);
  }
}
