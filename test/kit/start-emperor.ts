/** A real emperor with folders of its own; disposing it asserts that no process, socket or lock is left. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EmperorSnapshot, VassalSnapshot } from "../../src/stats/emperor-snapshot.ts";
import { eventually } from "./eventually.ts";
import { ask } from "./http.ts";
import { EMPEROR } from "./paths.ts";
import { family, isAlive } from "./processes.ts";
import type { ProcessFact } from "./processes.ts";

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface EmperorOptions {
  /** Folders of an emperor that ran before. */
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Another installation: its node and its tsgi-emperor.js. */
  readonly program?: readonly [string, string];
  /** Prefix such as ["prlimit", "--nofile=256"]. */
  readonly wrap?: readonly string[];
}

export class TestEmperor implements AsyncDisposable {
  readonly folder: string;
  readonly vassals: string;
  readonly runtimeDir: string;
  readonly stateDir: string;
  readonly process: ChildProcess;
  #output = "";
  #seen = new Map<number, ProcessFact>();
  #keepFolder = false;

  private constructor(folder: string, options: EmperorOptions) {
    this.folder = folder;
    this.vassals = join(folder, "vassals");
    this.runtimeDir = join(folder, "run");
    this.stateDir = join(folder, "state");
    mkdirSync(this.vassals, { recursive: true });
    const argv = [
      ...(options.wrap ?? []),
      ...(options.program ?? [process.execPath, EMPEROR]),
      "run",
      "--vassals",
      this.vassals,
      "--runtime-dir",
      this.runtimeDir,
      "--state-dir",
      this.stateDir,
      ...(options.args ?? []),
    ];
    this.process = spawn(argv[0] ?? "", argv.slice(1), {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...options.env },
    });
    this.process.stdout?.on("data", (chunk: Buffer) => (this.#output += chunk.toString()));
    this.process.stderr?.on("data", (chunk: Buffer) => (this.#output += chunk.toString()));
  }

  /** Resolves when the emperor answers on its control socket. */
  static async start(options: EmperorOptions = {}): Promise<TestEmperor> {
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), "tsgi-"));
    const emperor = new TestEmperor(folder, options);
    await eventually("the emperor answers", async () => {
      if (emperor.process.exitCode !== null) {
        throw new Error(`The emperor ended at once:\n${emperor.output}`);
      }
      return emperor.control("GET", "/status").catch(() => undefined);
    });
    return emperor;
  }

  get output(): string {
    return this.#output;
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  path(name: string): string {
    return join(this.vassals, name);
  }

  /** Writes a vassal file the careful way: beside, then renamed. */
  drop(name: string, text: string): void {
    const temporary = join(this.folder, `.${name}.new`);
    writeFileSync(temporary, text);
    renameSync(temporary, this.path(name));
  }

  touch(name: string): void {
    const now = new Date();
    utimesSync(this.path(name), now, now);
  }

  remove(name: string): void {
    unlinkSync(this.path(name));
  }

  async control(method: string, path: string): Promise<string> {
    const answer = await ask({ socketPath: join(this.runtimeDir, "control.sock") }, path, {
      method,
    });
    if (answer.status !== 200)
      throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
    return answer.body;
  }

  async snapshot(): Promise<EmperorSnapshot> {
    return JSON.parse(await this.control("GET", "/status")) as EmperorSnapshot;
  }

  async vassal(name: string): Promise<VassalSnapshot | undefined> {
    return (await this.snapshot()).vassals.find((each) => each.name === name);
  }

  /** Waits until `name` has the state. */
  async until(
    name: string,
    what: string,
    is: (vassal: VassalSnapshot) => boolean,
  ): Promise<VassalSnapshot> {
    return eventually(`${name} is ${what}\n${this.#output}`, async () => {
      const vassal = await this.vassal(name);
      return vassal !== undefined && is(vassal) ? vassal : undefined;
    });
  }

  /** Runs a command of the real command line against this emperor. */
  cli(...args: readonly string[]): Promise<CliResult> {
    return new Promise((resolve) => {
      const env = { ...process.env, TSGI_RUNTIME_DIR: this.runtimeDir };
      execFile(process.execPath, [EMPEROR, ...args], { env }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ code, stdout, stderr });
      });
    });
  }

  /** `wait NAME` by the command line. */
  wait(...names: readonly string[]): Promise<CliResult> {
    return this.cli("wait", ...names, "--timeout", "45s");
  }

  log(name: string): string {
    return readFileSync(join(this.stateDir, "logs", `${name}.log`), "utf8");
  }

  /** Remembers what runs now, so that the end can be checked for it. */
  remember(): void {
    for (const fact of family(this.pid)) this.#seen.set(fact.pid, fact);
  }

  /** Keeps the folders for a next emperor. */
  keepFolder(): void {
    this.#keepFolder = true;
  }

  /** SIGTERM, and the exit code. */
  async stop(): Promise<number | null> {
    this.remember();
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const exited = new Promise((resolve) => this.process.once("exit", resolve));
      this.process.kill("SIGTERM");
      await exited;
    }
    return this.process.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    const left = [...this.#seen.values()].filter((fact) => isAlive(fact));
    for (const fact of left) process.kill(fact.pid, "SIGKILL");
    const sockets = existsSync(this.runtimeDir)
      ? readdirSync(this.runtimeDir).filter((entry) => entry.endsWith(".sock"))
      : [];
    if (!this.#keepFolder) rmSync(this.folder, { recursive: true, force: true });
    assert.deepEqual(
      left.map((fact) => fact.pid),
      [],
      `processes left behind\n${this.#output}`,
    );
    assert.deepEqual(sockets, [], "sockets left behind");
  }
}
