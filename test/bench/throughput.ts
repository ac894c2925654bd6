/** Requests per second of a hello on one core, tsgi beside its peers in the same run, each as a ratio. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../kit/ports.ts";
import { TestEmperor } from "../kit/start-emperor.ts";
import { Wrk } from "../kit/wrk.ts";
import { table } from "./figures.ts";
import { available, CLIENT_CORE, HELLO_PY, PEERS, PYTHON, SERVER_CORE } from "./peers.ts";
import type { Peer, RunningPeer } from "./peers.ts";

const WARM_SECONDS = 2;
const SECONDS = 5;
const CONNECTIONS = 64;
/** The peer that everything is a ratio to. */
const REFERENCE = "nginx -> uWSGI socket";

interface OurApp {
  readonly title: string;
  readonly files: Readonly<Record<string, string>>;
  readonly config: string;
}

const OURS: readonly OurApp[] = [
  {
    title: "tsgi python, 1 worker",
    files: { "app.py": HELLO_PY },
    config: `python: app.py\ninterpreter: ${PYTHON}\n`,
  },
  {
    title: "tsgi python, 2 workers",
    files: { "app.py": HELLO_PY },
    config: `python: app.py\ninterpreter: ${PYTHON}\nworkers: 2\n`,
  },
  {
    title: "tsgi node, fetch handler",
    files: {
      "app.mjs":
        'export default () => new Response("Hello, world!", { headers: { "content-type": "text/plain" } });',
    },
    config: "node: app.mjs\n",
  },
  {
    title: "tsgi node, (req, res)",
    files: {
      "app.mjs":
        'export default (req, res) => { res.setHeader("Content-Type", "text/plain"); res.end("Hello, world!"); };',
    },
    config: "node: app.mjs\n",
  },
  {
    title: "tsgi static, 13 bytes",
    files: { "index.html": "Hello, world!" },
    config: "static: .\n",
  },
];

/** Every peer that is installed, then ours. `only` picks rows by a part of their title. */
export async function throughput(folder: string, only: string | undefined): Promise<void> {
  const peers: readonly Peer[] = [...PEERS, ...OURS.map((app) => ourPeer(app))];
  const results = new Map<string, number>();
  for (const peer of peers) {
    if (only !== undefined && !peer.title.includes(only) && peer.title !== REFERENCE) continue;
    if (!available(peer)) {
      console.log(`skipped: ${peer.title} (not installed: ${peer.needs.join(", ")})`);
      continue;
    }
    const own = join(folder, `peer-${results.size}`);
    mkdirSync(own);
    await using running = await peer.start(own);
    results.set(peer.title, await measure(running.port));
  }
  const reference = results.get(REFERENCE);
  const rows = [...results].map(([title, rate]) => [
    title,
    rate.toFixed(0),
    reference === undefined ? "-" : (rate / reference).toFixed(2),
  ]);
  console.log(
    table([
      ["hello, 64 keep-alive connections, one core", "requests/s", `x ${REFERENCE}`],
      ...rows,
    ]),
  );
}

async function measure(port: number): Promise<number> {
  const url = `http://127.0.0.1:${port}/`;
  const options = { connections: CONNECTIONS, core: CLIENT_CORE };
  await new Wrk(url, { ...options, seconds: WARM_SECONDS }).finish();
  const report = await new Wrk(url, { ...options, seconds: SECONDS }).finish();
  if (report.socketErrors + report.badStatus > 0) throw new Error(report.text);
  return report.requestsPerSecond;
}

function ourPeer(app: OurApp): Peer {
  return {
    title: app.title,
    needs: [],
    start: async (folder): Promise<RunningPeer> => {
      const directory = join(folder, "app");
      mkdirSync(directory, { recursive: true });
      for (const [name, text] of Object.entries(app.files))
        writeFileSync(join(directory, name), text);
      const port = await freePort();
      const emperor = await TestEmperor.start({ wrap: ["taskset", "-c", String(SERVER_CORE)] });
      emperor.drop(
        "hello.yaml",
        `listen: http://127.0.0.1:${port}\ndirectory: ${directory}\n${app.config}`,
      );
      const waited = await emperor.wait("hello");
      if (waited.code !== 0) throw new Error(waited.stdout + waited.stderr);
      copyFileSync(emperor.path("hello.yaml"), join(folder, "hello.yaml"));
      return { port, [Symbol.asyncDispose]: () => emperor[Symbol.asyncDispose]() };
    },
  };
}
