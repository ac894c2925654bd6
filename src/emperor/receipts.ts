/** Receipts of deploys in the state dir: the last one of each vassal, and the newest twenty beside it. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../core/errors.ts";
import { readBounded } from "../platform/files.ts";
import type { DeployReceipt } from "../stats/emperor-snapshot.ts";
import type { StateWriter } from "./state-writer.ts";

const KEPT = 20;
const RECEIPT_MAX_BYTES = 1024 ** 2;

export class Receipts {
  readonly #dir: string;
  readonly #writer: StateWriter;

  constructor(stateDir: string, writer: StateWriter) {
    this.#dir = join(stateDir, "receipts");
    this.#writer = writer;
  }

  last(name: string): DeployReceipt | null {
    const file = readBounded(join(this.#dir, `${name}.json`), { maxBytes: RECEIPT_MAX_BYTES });
    return file.ok ? parseReceipt(file.bytes.toString()) : null;
  }

  write(receipt: DeployReceipt, isLast: boolean): void {
    const text = `${JSON.stringify(receipt, undefined, 2)}\n`;
    const folder = join(this.#dir, "all", receipt.vassal);
    this.#writer.replace(join(folder, `${receipt.generation}.json`), text);
    if (isLast) this.#writer.replace(join(this.#dir, `${receipt.vassal}.json`), text);
    try {
      rmSync(join(folder, `${receipt.generation - KEPT}.json`), { force: true });
    } catch (error) {
      // A read-only state dir: the writer has said so.
      if (systemCode(error) === undefined) throw error;
    }
  }
}

function parseReceipt(text: string): DeployReceipt | null {
  try {
    const value: unknown = JSON.parse(text);
    const isReceipt =
      typeof value === "object" &&
      value !== null &&
      "generation" in value &&
      Number.isSafeInteger(value.generation) &&
      "outcome" in value &&
      "steps" in value;
    return isReceipt ? (value as DeployReceipt) : null;
  } catch {
    return null;
  }
}
