/** Peers to measure beside: each serves the same "hello" on one core, as its own manual recommends for speed. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../kit/eventually.ts";
import { tryAsk } from "../kit/http.ts";
import { freePort } from "../kit/ports.ts";
import { findProgram } from "../kit/programs.ts";

export const SERVER_CORE = 0;
export const CLIENT_CORE = 1;

/** The interpreter that Debian's uWSGI is linked with; another one on the PATH may be a slow wrapper. */
export const PYTHON: string = existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3";

export const HELLO_PY = `
BODY = b"Hello, world!"
HEAD = [("Content-Type", "text/plain"), ("Content-Length", "13")]
def application(environ, start_response):
    start_response("200 OK", HEAD)
    return [BODY]
`;

/** A server on its own: where it answers, and how to end it. */
export interface RunningPeer extends AsyncDisposable {
  readonly port: number;
}

export interface Peer {
  readonly title: string;
  readonly needs: readonly string[];
  start(folder: string): Promise<RunningPeer>;
}

export const PEERS: readonly Peer[] = [
  {
    title: "gunicorn, gthread, 8 threads",
    needs: ["gunicorn"],
    start: (folder) =>
      serve(folder, (port) => [
        [
          "/usr/bin/gunicorn",
          "-k",
          "gthread",
          "--threads",
          "8",
          "--log-level",
          "error",
          "-b",
          `127.0.0.1:${port}`,
          "hello",
        ],
      ]),
  },
  {
    title: "uWSGI --http11-socket, 2 workers",
    needs: ["uwsgi"],
    start: (folder) => serve(folder, (port) => [uwsgi("--http11-socket", `127.0.0.1:${port}`, 2)]),
  },
  {
    title: "nginx -> uWSGI socket",
    needs: ["uwsgi", "nginx"],
    start: (folder) =>
      serve(folder, (port) => {
        const socket = join(folder, "uwsgi.sock");
        const config = writeNginx(
          folder,
          port,
          `include /etc/nginx/uwsgi_params; uwsgi_pass unix:${socket};`,
        );
        return [uwsgi("--socket", socket, 2), ["/usr/sbin/nginx", "-c", config, "-p", folder]];
      }),
  },
  {
    title: "nginx return 200",
    needs: ["nginx"],
    start: (folder) =>
      serve(folder, (port) => {
        const config = writeNginx(folder, port, 'return 200 "Hello, world!";');
        return [["/usr/sbin/nginx", "-c", config, "-p", folder]];
      }),
  },
  {
    title: "bare node:http",
    needs: [],
    start: (folder) => {
      writeFileSync(
        join(folder, "bare.mjs"),
        `import { createServer } from "node:http";
const server = createServer((req, res) => { res.setHeader("Content-Type", "text/plain"); res.end("Hello, world!"); });
server.listen(Number(process.argv[2]), "127.0.0.1", 4096);`,
      );
      return serve(folder, (port) => [[process.execPath, join(folder, "bare.mjs"), String(port)]]);
    },
  },
];

export function available(peer: Peer): boolean {
  return peer.needs.every((name) => findProgram(name) !== undefined);
}

function uwsgi(kind: string, address: string, workers: number): readonly string[] {
  return [
    "uwsgi",
    "--plugin",
    "python3",
    "--master",
    "--die-on-term",
    "--disable-logging",
    "--need-app",
    "--listen",
    "100",
    "--processes",
    String(workers),
    kind,
    address,
    "--wsgi-file",
    "hello.py",
  ];
}

function writeNginx(folder: string, port: number, location: string): string {
  const config = join(folder, "nginx.conf");
  mkdirSync(join(folder, "tmp"), { recursive: true });
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/tmp/${name};`)
    .join(" ");
  writeFileSync(
    config,
    `daemon off; ${asRoot()} worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/nginx.err;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000000; ${temporary} default_type text/plain;
  server { listen 127.0.0.1:${port} backlog=4096; location / { ${location} } } }\n`,
  );
  return config;
}

/** As root nginx would serve as somebody else, who may not enter the folder of the benchmark. */
function asRoot(): string {
  return process.getuid?.() === 0 ? "user root;" : "";
}

/** Starts the programs of one peer, pinned to the server's core; ready when it answers 200. */
export async function serve(
  folder: string,
  commands: (port: number) => readonly (readonly string[])[],
): Promise<RunningPeer> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "hello.py"), HELLO_PY);
  const port = await freePort();
  const children = commands(port).map((argv) =>
    spawn("taskset", ["-c", String(SERVER_CORE), ...argv], { cwd: folder, stdio: "ignore" }),
  );
  try {
    await eventually(`${folder} answers`, async () => (await tryAsk(port))?.status === 200);
  } catch (error) {
    await endAll(children);
    throw error;
  }
  return { port, [Symbol.asyncDispose]: () => endAll(children) };
}

async function endAll(children: readonly ChildProcess[]): Promise<void> {
  for (const child of children.toReversed()) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await exited;
  }
}
