/** 100 Python vassals from a cold emperor to all answering, beside uWSGI's Emperor. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { tryAsk } from "../kit/http.ts";
import { freePort } from "../kit/ports.ts";
import { findProgram } from "../kit/programs.ts";
import { TestEmperor } from "../kit/start-emperor.ts";
import { table } from "./figures.ts";
import { HELLO_PY, PYTHON } from "./peers.ts";

const VASSALS = 100;

export async function boot(folder: string): Promise<void> {
  const directory = join(folder, "boot");
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "app.py"), HELLO_PY);
  const ports = await Promise.all(Array.from({ length: VASSALS }, () => freePort()));
  const ours = await tsgi(directory, ports);
  const rows = [
    [`${VASSALS} python vassals, start to all answering`, "ms", "x uWSGI"],
    ["tsgi", ours.toFixed(0), "-"],
  ];
  if (findProgram("uwsgi") !== undefined) {
    const theirs = await uwsgi(folder, directory, ports);
    rows[1] = ["tsgi", ours.toFixed(0), (ours / theirs).toFixed(2)];
    rows.push(["uWSGI Emperor", theirs.toFixed(0), "1.00"]);
  }
  console.log(table(rows));
}

async function tsgi(directory: string, ports: readonly number[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "tsgi-boot-"));
  mkdirSync(join(folder, "vassals"));
  for (const port of ports) {
    writeFileSync(
      join(folder, "vassals", `boot-${port}.yaml`),
      `listen: http://127.0.0.1:${port}\npython: app.py\ninterpreter: ${PYTHON}\ndirectory: ${directory}\n`,
    );
  }
  const began = performance.now();
  const starting = TestEmperor.start({ folder });
  await allAnswer(ports);
  const took = performance.now() - began;
  await using emperor = await starting;
  emperor.remember();
  return took;
}

async function uwsgi(folder: string, directory: string, ports: readonly number[]): Promise<number> {
  const vassals = join(folder, "uwsgi-boot");
  mkdirSync(vassals, { recursive: true });
  for (const port of ports) {
    writeFileSync(
      join(vassals, `boot-${port}.ini`),
      `[uwsgi]\nplugin = python3\nmaster = true\nhttp11-socket = 127.0.0.1:${port}\nchdir = ${directory}\nwsgi-file = app.py\n`,
    );
  }
  const began = performance.now();
  const emperor = spawn("uwsgi", ["--emperor", vassals, "--die-on-term"], { stdio: "ignore" });
  await allAnswer(ports);
  const took = performance.now() - began;
  const exited = new Promise((resolve) => emperor.once("exit", resolve));
  emperor.kill("SIGTERM");
  await exited;
  return took;
}

/** One vassal after the other, so that the asking costs little: an early one that answers stays up. */
async function allAnswer(ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    while ((await tryAsk(port))?.status !== 200) await pause(5);
  }
}
