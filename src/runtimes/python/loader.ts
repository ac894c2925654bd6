/** The loader process: loads the application once and forks workers from it; a dead one is started again. */
import type { Socket } from "node:net";
import { VERSION } from "../../core/version.ts";
import type { VassalSpec } from "../../ipc/vassal-spec.ts";
import { monotonicMs } from "../monotonic.ts";
import { respawnDelayMs } from "../pool/recycle-policy.ts";
import { StartFailure } from "../runtime.ts";
import type { RuntimeHost } from "../runtime.ts";
import { LoaderProcess } from "./loader-process.ts";
import type { LoaderEnd } from "./loader-process.ts";

/** What the loader tells about workers. */
export interface LoaderEvents {
  forked(ticket: number, pid: number): void;
  /** The fork failed, or the loader died before it answered. */
  unforked(ticket: number, reason: string): void;
  exited(pid: number, code: number | undefined, signal: number | undefined): void;
  /** The loader itself died: nobody will tell how its workers end. */
  orphaned(): void;
}

const STABLE_MS = 5000;
const KILL_MS = 1000;

export class Loader {
  readonly #host: RuntimeHost;
  readonly #interpreter: string;
  readonly #socketPath: string;
  readonly #token: string;
  readonly #events: LoaderEvents;
  #process: LoaderProcess | undefined;
  /** Started before this program was evaluated; the first one only. */
  #early: LoaderProcess | undefined;
  #link: Socket | undefined;
  #isLoaded = false;
  #isStopping = false;
  #failures = 0;
  #loadedAtMs = 0;
  #reason: string | undefined;
  #started: { resolve(): void; reject(error: Error): void } | undefined;
  #stopped: (() => void) | undefined;
  /** Forks asked for while no loader could answer, and those that were asked of the present one. */
  #waiting: number[] = [];
  readonly #asked = new Set<number>();

  constructor(
    host: RuntimeHost,
    interpreter: string,
    channel: { readonly path: string; readonly token: string },
    events: LoaderEvents,
    early: LoaderProcess | undefined,
  ) {
    this.#host = host;
    this.#interpreter = interpreter;
    this.#socketPath = channel.path;
    this.#token = channel.token;
    this.#events = events;
    this.#early = early;
  }

  /** Resolves when the application is loaded, rejects with StartFailure when it cannot be. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#started = { resolve, reject };
      this.#spawn();
    });
  }

  fork(ticket: number): void {
    if (!this.#isLoaded || this.#link === undefined) {
      this.#waiting.push(ticket);
      return;
    }
    this.#asked.add(ticket);
    this.#link.write(`fork ${ticket}\n`);
  }

  /** The output of worker `ticket` is being read: the loader may let go of it. */
  opened(ticket: number): void {
    this.#link?.write(`opened ${ticket}\n`);
  }

  /** The connection that the loader has dialled. */
  attach(link: Socket, rest: Buffer): void {
    this.#link = link;
    let seen = "";
    const take = (chunk: Buffer): void => {
      const lines = (seen + chunk.toString("utf8")).split("\n");
      seen = lines.pop() ?? "";
      for (const line of lines) this.#take(line);
    };
    link.on("data", take);
    if (rest.length > 0) take(rest);
  }

  /** Ends the loader; resolves when it is gone. */
  stop(): Promise<void> {
    this.#isStopping = true;
    const process = this.#process;
    if (process === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#stopped = resolve;
      // The end of its connection ends it; it may be loading still, which only a signal can stop.
      this.#link?.destroy();
      if (!this.#isLoaded) process.kill("SIGTERM");
      setTimeout(() => process.kill("SIGKILL"), KILL_MS).unref();
    });
  }

  #spawn(): void {
    const { spec } = this.#host;
    this.#reason = undefined;
    const process = this.#early ?? new LoaderProcess(spec, this.#interpreter);
    this.#early = undefined;
    this.#process = process;
    process.begin(settingsText(spec, this.#socketPath, this.#token), {
      line: (stream, text) => this.#host.logLine(0, stream, text),
      ended: (end) => this.#gone(process, end),
    });
  }

  #take(line: string): void {
    const [word = "", first = "", ...rest] = line.split(" ");
    switch (word) {
      case "loaded":
        this.#loaded();
        return;
      case "failed":
        this.#reason = line.slice("failed ".length);
        return;
      case "forked":
        this.#asked.delete(Number(first));
        this.#events.forked(Number(first), Number(rest[0]));
        return;
      case "unforked":
        this.#asked.delete(Number(first));
        this.#events.unforked(Number(first), `Cannot fork a worker: ${rest.join(" ")}`);
        return;
      case "exited":
        this.#exited(Number(first), Number(rest[0]));
        return;
      default:
    }
  }

  #loaded(): void {
    this.#isLoaded = true;
    this.#loadedAtMs = monotonicMs();
    this.#started?.resolve();
    this.#started = undefined;
    for (const ticket of this.#waiting.splice(0)) this.fork(ticket);
  }

  /** `status` is what waitpid(2) gives. */
  #exited(pid: number, status: number): void {
    const signal = status & 127;
    if (signal === 0) this.#events.exited(pid, (status >> 8) & 255, undefined);
    else this.#events.exited(pid, undefined, signal);
  }

  #gone(process: LoaderProcess, end: LoaderEnd): void {
    if (this.#process !== process) return;
    this.#process = undefined;
    this.#link?.destroy();
    this.#link = undefined;
    const wasLoaded = this.#isLoaded;
    this.#isLoaded = false;
    const lost = [...this.#asked];
    this.#asked.clear();
    for (const ticket of lost) this.#events.unforked(ticket, "the loader died");
    this.#events.orphaned();
    if (this.#isStopping) {
      this.#stopped?.();
      return;
    }
    const { code, signal } = end;
    const how = signal === undefined ? `with exit code ${code ?? "unknown"}` : `by ${signal}`;
    const reason =
      this.#reason ?? end.failure ?? `Cannot load the application: the loader died ${how}`;
    if (this.#started !== undefined) {
      this.#started.reject(new StartFailure(reason));
      this.#started = undefined;
      return;
    }
    const stable = wasLoaded && monotonicMs() - this.#loadedAtMs > STABLE_MS;
    this.#failures = stable ? 0 : this.#failures + 1;
    this.#host.event({
      kind: "loader-died",
      message: `the loader died ${how}; workers serve on, a new one starts`,
      ...(process.pid === undefined ? {} : { pid: process.pid }),
    });
    setTimeout(() => {
      if (!this.#isStopping) this.#spawn();
    }, respawnDelayMs(this.#failures));
  }
}

/** Settings of the bridge: key NUL value NUL … */
function settingsText(spec: VassalSpec, socket: string, token: string): string {
  const { config } = spec;
  const { app } = config;
  const settings: Record<string, string> = {
    socket,
    token,
    target: app.kind === "python" ? app.target : "",
    callable: app.kind === "python" ? (app.callable ?? "") : "",
    directory: spec.release,
    pythonpath: config.pythonpath.join(":"),
    threads: String(config.threads),
    workers: String(config.workers.max),
    preload: config.preload ? "1" : "0",
    scratch: spec.scratch,
    software: `tsgi/${VERSION}`,
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}\0${value}`)
    .join("\0");
}
