/** The client end of the control socket: finds the emperor and asks it. No native code, no packages: it starts fast. */
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { homedir } from "node:os";
import { join } from "node:path";
import { ERROR_TABLE, TsgiError, systemCode } from "../core/errors.ts";
import type { ErrorCode } from "../core/errors.ts";
import { clientRuntimeDirs } from "./places.ts";

export interface Call {
  readonly method: "GET" | "POST";
  /** "/status" */
  readonly path: string;
  readonly query?: readonly (readonly [string, string])[];
}

/** A running emperor that answered. */
export class EmperorClient {
  readonly #dirs: readonly string[];

  constructor(runtimeDirFlag: string | undefined) {
    this.#dirs = clientRuntimeDirs({
      flag: runtimeDirFlag,
      uid: process.getuid?.() ?? 0,
      env: process.env,
      home: homedir(),
      cwd: process.cwd(),
    });
  }

  /**
   * The JSON document of an answer; answers that report failed commands count. Throws TsgiError with the code that the
   * emperor gave, TSGI_EMPEROR_ABSENT when nobody answers.
   */
  async json<T>(call: Call): Promise<T> {
    const response = await this.open(call);
    const text = await readText(response);
    const failed = response.statusCode === undefined || response.statusCode >= 400;
    const document: unknown = parseDocument(text);
    if (failed) throwProblem(document, response.statusCode ?? 0);
    // The emperor is of the same release; its documents are typed in one place.
    return document as T;
  }

  /** An answer that is read as it comes. */
  async open(call: Call): Promise<IncomingMessage> {
    const reasons: string[] = [];
    for (const dir of this.#dirs) {
      const answer = await connect(join(dir, "control.sock"), call);
      if (typeof answer !== "string") return answer;
      reasons.push(`${dir}: ${answer}`);
    }
    throw new TsgiError("TSGI_EMPEROR_ABSENT", `Cannot reach an emperor: ${reasons.join(", ")}`);
  }
}

/** The answer, or half a sentence why there is none at this path. */
function connect(socketPath: string, call: Call): Promise<IncomingMessage | string> {
  const query = new URLSearchParams((call.query ?? []).map(([name, value]) => [name, value]));
  const path = query.size === 0 ? call.path : `${call.path}?${query.toString()}`;
  return new Promise((resolve, reject) => {
    const asked = request({
      socketPath,
      path,
      method: call.method,
      agent: false,
      headers: { Host: "tsgi", Connection: "close" },
    });
    asked.on("response", resolve);
    asked.on("error", (error) => {
      const reason = REASONS[systemCode(error) ?? ""];
      if (reason === undefined) reject(error);
      else resolve(reason);
    });
    asked.end();
  });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no emperor runs there",
  ENOTDIR: "no emperor runs there",
  ECONNREFUSED: "the emperor has ended",
  ECONNRESET: "the emperor ended while it was asked",
  EACCES: "no right to its control socket",
  EINVAL: "the path is too long for a socket",
  ENAMETOOLONG: "the path is too long for a socket",
};

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
  } catch (cause) {
    throw new TsgiError("TSGI_EMPEROR_ABSENT", "Cannot read the answer: the emperor has ended", {
      cause,
    });
  }
  return Buffer.concat(chunks).toString();
}

function parseDocument(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // An answer of Node's HTTP parser or of something that is no emperor.
    return undefined;
  }
}

/** Failed commands carry `results` and are an answer; everything else is an error of the table. */
function throwProblem(document: unknown, status: number): void {
  if (typeof document === "object" && document !== null) {
    if ("results" in document) return;
    if ("error" in document && typeof document.error === "object" && document.error !== null) {
      const { error } = document;
      const message = "message" in error ? String(error.message) : `answer ${status}`;
      if ("code" in error && isErrorCode(error.code)) throw new TsgiError(error.code, message);
      throw new Error(message);
    }
  }
  throw new Error(`Cannot use the answer of the emperor: HTTP status ${status}`);
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(ERROR_TABLE, code);
}

/** `name=a&name=b` */
export function nameQuery(names: readonly string[]): readonly (readonly [string, string])[] {
  return names.map((name) => ["name", name] as const);
}
