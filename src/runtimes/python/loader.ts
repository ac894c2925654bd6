/** The loader process: loads the application once and forks workers from it; a dead one is started again. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { VERSION } from "../../core/version.ts";
import type { VassalSpec } from "../../ipc/vassal-spec.ts";
import { respawnDelayMs } from "../pool/recycle-policy.ts";
import { StartFailure } from "../runtime.ts";
import type { RuntimeHost } from "../runtime.ts";
import { readLines } from "./output.ts";

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
const LAST_LINES_MS = 200;

export class Loader {
  readonly #host: RuntimeHost;
  readonly #interpreter: string;
  readonly #socketPath: string;
  readonly #token: string;
  readonly #events: LoaderEvents;
  #child: ChildProcess | undefined;
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
  ) {
    this.#host = host;
    this.#interpreter = interpreter;
    this.#socketPath = channel.path;
    this.#token = channel.token;
    this.#events = events;
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
    const child = this.#child;
    if (child === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#stopped = resolve;
      // The end of its connection ends it; it may be loading still, which only a signal can stop.
      this.#link?.destroy();
      if (!this.#isLoaded) child.kill("SIGTERM");
      setTimeout(() => child.kill("SIGKILL"), KILL_MS).unref();
    });
  }

  #spawn(): void {
    const { spec } = this.#host;
    this.#reason = undefined;
    const child = spawn(this.#interpreter, [spec.programs.pythonBridge], {
      cwd: spec.release,
      env: spec.env,
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child = child;
    readLines(child.stdout, (line) => this.#host.logLine(0, "out", line));
    readLines(child.stderr, (line) => this.#host.logLine(0, "err", line));
    child.stdin.on("error", () => undefined);
    child.stdin.end(settingsText(spec, this.#socketPath, this.#token));
    child.once("error", (error) => {
      this.#reason = `Cannot start ${this.#interpreter}: ${error.message}`;
      if (child.pid === undefined) this.#gone(child, undefined, undefined);
    });
    // "close": its last lines have been read by then; a program that it left behind may hold the pipes for ever.
    const gone = (code: number | null, signal: string | null): void =>
      this.#gone(child, code ?? undefined, signal ?? undefined);
    child.once("close", gone);
    child.once("exit", (code, signal) => setTimeout(() => gone(code, signal), LAST_LINES_MS));
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
    this.#loadedAtMs = performance.now();
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

  #gone(child: ChildProcess, code: number | undefined, signal: string | undefined): void {
    if (this.#child !== child) return;
    this.#child = undefined;
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
    const how = signal === undefined ? `with exit code ${code ?? "unknown"}` : `by ${signal}`;
    const reason = this.#reason ?? `Cannot load the application: the loader died ${how}`;
    if (this.#started !== undefined) {
      this.#started.reject(new StartFailure(reason));
      this.#started = undefined;
      return;
    }
    const stable = wasLoaded && performance.now() - this.#loadedAtMs > STABLE_MS;
    this.#failures = stable ? 0 : this.#failures + 1;
    this.#host.event({
      kind: "loader-died",
      message: `the loader died ${how}; workers serve on, a new one starts`,
      ...(child.pid === undefined ? {} : { pid: child.pid }),
    });
    setTimeout(() => {
      if (!this.#isStopping) this.#spawn();
    }, respawnDelayMs(this.#failures));
  }
}

/** Settings of the bridge: key NUL value NUL …; never on a command line, where other users could read the token. */
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
