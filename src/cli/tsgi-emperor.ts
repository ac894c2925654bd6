#!/usr/bin/env node
/** The executable `tsgi-emperor`. */
import { realpathSync } from "node:fs";
import { ensureNode } from "./node-version.ts";

// The file itself, not the link in node_modules/.bin: its neighbours are looked up from there.
await ensureNode("tsgi-emperor", realpathSync(process.argv[1] ?? ""));
const { runProgram } = await import("./main.ts");
const { emperorProgram } = await import("./program.ts");
await runProgram("tsgi-emperor", emperorProgram);
