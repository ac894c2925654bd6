/** From the moment a vassal file is dropped (or touched) to the first 200 of that generation. */
import { spawn } from "node:child_process";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { tryAsk } from "../kit/http.ts";
import { freePort } from "../kit/ports.ts";
import { findProgram } from "../kit/programs.ts";
import { TestEmperor } from "../kit/start-emperor.ts";
import { median, percentile, table } from "./figures.ts";
import { HELLO_PY, PYTHON } from "./peers.ts";

const DROPS = 20;
const UWSGI_DROPS = 5;

export async function firstAnswer(folder: string): Promise<void> {
  const rows = [
    ["python, to the first 200", "median ms", "p95 ms"],
    ...(await ours(folder)),
    ...(findProgram("uwsgi") === undefined ? [] : [await uwsgis(folder)]),
  ];
  console.log(table(rows));
}

async function ours(folder: string): Promise<readonly string[][]> {
  await using emperor = await TestEmperor.start();
  const directory = appFolder(join(folder, "first"));
  const drops: number[] = [];
  const touches: number[] = [];
  for (let round = 0; round < DROPS; round += 1) {
    const port = await freePort();
    const name = `drop-${round}`;
    writeFileSync(join(directory, "version"), `drop ${round}`);
    const dropped = performance.now();
    emperor.drop(
      `${name}.yaml`,
      `listen: http://127.0.0.1:${port}\npython: app.py\ninterpreter: ${PYTHON}\ndirectory: ${directory}\n`,
    );
    drops.push(await untilAnswer(port, `drop ${round}`, dropped));
    writeFileSync(join(directory, "version"), `touch ${round}`);
    const touched = performance.now();
    emperor.touch(`${name}.yaml`);
    touches.push(await untilAnswer(port, `touch ${round}`, touched));
    emperor.remember();
    emperor.remove(`${name}.yaml`);
  }
  return [
    figures(`tsgi, file dropped (${DROPS})`, drops),
    figures(`tsgi, file touched (${DROPS})`, touches),
  ];
}

async function uwsgis(folder: string): Promise<string[]> {
  const vassals = join(folder, "uwsgi-vassals");
  mkdirSync(vassals, { recursive: true });
  const directory = appFolder(join(folder, "first-uwsgi"));
  const emperor = spawn("uwsgi", ["--emperor", vassals, "--die-on-term"], { stdio: "ignore" });
  const times: number[] = [];
  for (let round = 0; round < UWSGI_DROPS; round += 1) {
    const port = await freePort();
    writeFileSync(join(directory, "version"), `drop ${round}`);
    const temporary = join(folder, "new.ini");
    writeFileSync(
      temporary,
      `[uwsgi]\nplugin = python3\nmaster = true\nhttp11-socket = 127.0.0.1:${port}\nchdir = ${directory}\nwsgi-file = app.py\n`,
    );
    const dropped = performance.now();
    renameSync(temporary, join(vassals, `drop-${round}.ini`));
    times.push(await untilAnswer(port, `drop ${round}`, dropped));
  }
  const exited = new Promise((resolve) => emperor.once("exit", resolve));
  emperor.kill("SIGTERM");
  await exited;
  return figures(`uWSGI Emperor, file dropped (${UWSGI_DROPS})`, times);
}

function appFolder(directory: string): string {
  mkdirSync(directory, { recursive: true });
  const source = HELLO_PY.replace('b"Hello, world!"', 'open("version", "rb").read()').replace(
    ', ("Content-Length", "13")',
    "",
  );
  writeFileSync(join(directory, "app.py"), source);
  return directory;
}

async function untilAnswer(port: number, body: string, since: number): Promise<number> {
  for (;;) {
    const answer = await tryAsk(port);
    if (answer?.status === 200 && answer.body === body) return performance.now() - since;
    await pause(2);
  }
}

function figures(title: string, times: readonly number[]): string[] {
  return [title, median(times).toFixed(0), percentile(times, 95).toFixed(0)];
}
