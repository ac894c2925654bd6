/** wrk as a load generator that runs until it is told to stop, and its report as numbers. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";

export interface WrkReport {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Connect, read, write and timeout errors together. */
  readonly socketErrors: number;
  readonly badStatus: number;
  readonly text: string;
}

export interface WrkOptions {
  readonly connections?: number;
  readonly seconds?: number;
  readonly headers?: readonly string[];
  readonly timeoutSeconds?: number;
  /** Core to run on. */
  readonly core?: number;
}

/** Bounded: at most `seconds` (300 unless told), less when `stop` is called. */
export class Wrk implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #done: Promise<WrkReport>;

  constructor(url: string, options: WrkOptions = {}) {
    const argv = [
      ...(options.core === undefined ? [] : ["taskset", "-c", String(options.core)]),
      "wrk",
      "-t1",
      `-c${options.connections ?? 64}`,
      `-d${options.seconds ?? 300}s`,
      "--timeout",
      `${options.timeoutSeconds ?? 30}s`,
      ...(options.headers ?? []).flatMap((header) => ["-H", header]),
      url,
    ];
    this.#process = spawn(argv[0] ?? "wrk", argv.slice(1), {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    this.#process.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
    this.#done = new Promise((resolve, reject) => {
      this.#process.on("error", reject);
      this.#process.on("close", () => resolve(parseWrk(text)));
    });
  }

  /** Ends the load and reads the report. */
  stop(): Promise<WrkReport> {
    this.#process.kill("SIGINT");
    return this.#done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Waits for the time that was asked for. */
  finish(): Promise<WrkReport> {
    return this.#done;
  }
}

export function parseWrk(text: string): WrkReport {
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text);
  return {
    requests: Number(/(\d+) requests in/.exec(text)?.[1] ?? 0),
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1] ?? 0),
    socketErrors: (errors?.slice(1) ?? []).reduce((sum, each) => sum + Number(each), 0),
    badStatus: Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0),
    text,
  };
}
