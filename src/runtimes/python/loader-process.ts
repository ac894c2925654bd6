/** The interpreter process that runs the bridge: started as early as possible, told its settings once somebody listens to it. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import type { VassalSpec } from "../../ipc/vassal-spec.ts";
import { StartFailure } from "../runtime.ts";
import { findInterpreter } from "./interpreter.ts";
import { readLines } from "../output-lines.ts";

/** How it ended; `failure` when it could not even be started. */
export interface LoaderEnd {
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly failure: string | undefined;
}

export interface LoaderProcessEvents {
  line(stream: "out" | "err", text: string): void;
  /** Once, after its last line. */
  ended(end: LoaderEnd): void;
}

/** A program that it left behind may hold its pipes for ever: they are waited for so long. */
const LAST_LINES_MS = 200;

export class LoaderProcess {
  readonly #child: ChildProcess;
  #events: LoaderProcessEvents | undefined;
  /** What it said and how it ended while nobody listened: it waits for its settings, so this is little. */
  #said: { readonly stream: "out" | "err"; readonly text: string }[] = [];
  #end: LoaderEnd | undefined;

  constructor(spec: Pick<VassalSpec, "release" | "env" | "programs">, interpreter: string) {
    const child = spawn(interpreter, [spec.programs.pythonBridge], {
      cwd: spec.release,
      env: spec.env,
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child = child;
    if (child.stdout) readLines(child.stdout, (text) => this.#line("out", text));
    if (child.stderr) readLines(child.stderr, (text) => this.#line("err", text));
    child.stdin?.on("error", () => undefined);
    child.once("error", (error) => {
      const failure = `Cannot start ${interpreter}: ${error.message}`;
      if (child.pid === undefined) this.#ended({ code: undefined, signal: undefined, failure });
    });
    // "close": its last lines have been read by then.
    const gone = (code: number | null, signal: string | null): void =>
      this.#ended({ code: code ?? undefined, signal: signal ?? undefined, failure: undefined });
    child.once("close", gone);
    child.once("exit", (code, signal) => setTimeout(() => gone(code, signal), LAST_LINES_MS));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** It waits for `settings` (key NUL value NUL …): never on a command line, where other users could read the token. */
  begin(settings: string, events: LoaderProcessEvents): void {
    this.#events = events;
    for (const { stream, text } of this.#said.splice(0)) events.line(stream, text);
    this.#child.stdin?.end(settings);
    if (this.#end !== undefined) events.ended(this.#end);
  }

  kill(signal: "SIGTERM" | "SIGKILL"): void {
    this.#child.kill(signal);
  }

  #line(stream: "out" | "err", text: string): void {
    if (this.#events === undefined) this.#said.push({ stream, text });
    else this.#events.line(stream, text);
  }

  #ended(end: LoaderEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#events?.ended(end);
  }
}

/**
 * Starts the interpreter before the rest of the vassal's program is evaluated, so that both boot side by side; undefined
 * when it cannot be found, which the runtime finds out again and reports.
 */
export function startEarly(spec: VassalSpec): LoaderProcess | undefined {
  try {
    return new LoaderProcess(spec, findInterpreter(spec));
  } catch (error) {
    if (error instanceof StartFailure) return undefined;
    throw error;
  }
}
