#!/usr/bin/env node
/** The executable `tsgi`: one vassal without an emperor. */
import { realpathSync } from "node:fs";
import { ensureNode } from "./node-version.ts";

await ensureNode("tsgi", realpathSync(process.argv[1] ?? ""));
const { runProgram } = await import("./main.ts");
const { vassalProgram } = await import("./program.ts");
await runProgram("tsgi", vassalProgram);
