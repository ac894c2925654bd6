/** `npm run bench [throughput|first-answer|boot|fairness] [part of a title]`: everything, or one table. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { boot } from "./boot.ts";
import { fairness } from "./fairness.ts";
import { firstAnswer } from "./first-answer.ts";
import { throughput } from "./throughput.ts";

const BENCHES: Readonly<
  Record<string, (folder: string, only: string | undefined) => Promise<void>>
> = {
  throughput,
  "first-answer": firstAnswer,
  boot,
  fairness,
};

const [wanted, only] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "tsgi-bench-"));
try {
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (wanted === undefined || wanted === name) {
      await bench(folder, only);
      console.log();
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
