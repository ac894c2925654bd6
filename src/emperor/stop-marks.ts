/** Which vassals are stopped until `start`, kept in the state dir so that it survives an emperor. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../core/errors.ts";
import type { StateWriter } from "./state-writer.ts";

export class StopMarks {
  readonly #dir: string;
  readonly #writer: StateWriter;

  constructor(stateDir: string, writer: StateWriter) {
    this.#dir = join(stateDir, "stopped");
    this.#writer = writer;
  }

  has(name: string): boolean {
    return existsSync(join(this.#dir, name));
  }

  set(name: string, stopped: boolean): void {
    if (stopped) {
      this.#writer.replace(join(this.#dir, name), "", { durable: true });
      return;
    }
    try {
      rmSync(join(this.#dir, name), { force: true });
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
    }
  }
}
