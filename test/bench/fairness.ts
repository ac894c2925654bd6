/** Fast requests beside slow ones: their p99 alone, and with two connections that loop a 1-second request. */
import { mkdirSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { freePort } from "../kit/ports.ts";
import { TestEmperor } from "../kit/start-emperor.ts";
import { PYTHON } from "./peers.ts";
import { percentile, table } from "./figures.ts";

const FAST_CONNECTIONS = 32;
const SLOW_CONNECTIONS = 2;
const SECONDS = 8;
const WORKERS = 4;

const SOURCE = `
import time
def application(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        time.sleep(1)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]
`;

export async function fairness(folder: string): Promise<void> {
  const directory = join(folder, "fair");
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "app.py"), SOURCE);
  await using emperor = await TestEmperor.start();
  const port = await freePort();
  emperor.drop(
    "fair.yaml",
    `listen: http://127.0.0.1:${port}\npython: app.py\ninterpreter: ${PYTHON}\ndirectory: ${directory}\nworkers: ${WORKERS}\n`,
  );
  const waited = await emperor.wait("fair");
  if (waited.code !== 0) throw new Error(waited.stdout);
  await load(port, 0, 2);
  const alone = await load(port, 0, SECONDS);
  const beside = await load(port, SLOW_CONNECTIONS, SECONDS);
  emperor.remember();
  const ratio = percentile(beside, 99) / percentile(alone, 99);
  console.log(
    table([
      [`${FAST_CONNECTIONS} fast connections, ${WORKERS} workers`, "requests", "p50 ms", "p99 ms"],
      row("alone", alone),
      row(`beside ${SLOW_CONNECTIONS} loops of 1 s`, beside),
      ["ratio of p99", "", "", ratio.toFixed(2)],
    ]),
  );
}

function row(title: string, times: readonly number[]): string[] {
  return [
    title,
    String(times.length),
    percentile(times, 50).toFixed(2),
    percentile(times, 99).toFixed(2),
  ];
}

/** Latencies of the fast requests in milliseconds. */
async function load(port: number, slow: number, seconds: number): Promise<readonly number[]> {
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  const loop = async (path: string, record: boolean): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (performance.now() < end) {
      const began = performance.now();
      await once(port, path, agent);
      if (record) times.push(performance.now() - began);
    }
    agent.destroy();
  };
  await Promise.all([
    ...Array.from({ length: FAST_CONNECTIONS }, () => loop("/", true)),
    ...Array.from({ length: slow }, () => loop("/slow", false)),
  ]);
  return times;
}

function once(port: number, path: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port, path, agent }, (answer) => {
      answer.resume();
      answer.on("end", resolve);
      answer.on("error", reject);
    });
    call.on("error", reject);
    call.end();
  });
}
