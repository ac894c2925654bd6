/** Writes to the state dir that never stop anybody: failures are counted, the first and the recovery are told. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { appendText, fileProblem, writeAtomic } from "../platform/files.ts";
import type { FileProblem } from "../platform/files.ts";

export class StateWriter {
  readonly #tell: (message: string) => void;
  #failures = 0;

  /** @param tell must not write to the state dir in turn without going through this writer */
  constructor(tell: (message: string) => void) {
    this.#tell = tell;
  }

  /** Replaces a file; with `durable` it survives a power cut. False when that failed. */
  replace(path: string, text: string, options: { readonly durable?: boolean } = {}): boolean {
    const write = (): FileProblem | undefined =>
      writeAtomic(path, text, { mode: 0o640, durable: options.durable ?? false });
    return this.#attempt(path, write);
  }

  append(path: string, text: string): boolean {
    return this.#attempt(path, () => appendText(path, text));
  }

  #attempt(path: string, write: () => FileProblem | undefined): boolean {
    let problem = attempt(write);
    if (problem?.code === "ENOENT") problem = makeFolder(dirname(path)) ?? attempt(write);
    if (problem !== undefined) {
      this.#failures += 1;
      if (this.#failures === 1) {
        this.#tell(
          `Cannot write "${path}": ${problem.reason}; vassals are not affected, records are lost until it works again`,
        );
      }
      return false;
    }
    if (this.#failures > 0) {
      const lost = this.#failures;
      this.#failures = 0;
      this.#tell(`The state dir can be written again: ${lost} writes were lost`);
    }
    return true;
  }
}

/** Also what goes wrong while a failed write is cleaned up is only a failed write. */
function attempt(write: () => FileProblem | undefined): FileProblem | undefined {
  try {
    return write();
  } catch (error) {
    return fileProblem(error);
  }
}

function makeFolder(path: string): FileProblem | undefined {
  try {
    mkdirSync(path, { recursive: true, mode: 0o750 });
    return undefined;
  } catch (error) {
    return fileProblem(error);
  }
}
