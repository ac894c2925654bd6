/** The fleet as Prometheus text (exposition format 0.0.4). Pure. */
import type { WorkerState } from "../ipc/link.ts";
import type { EmperorSnapshot, VassalSnapshot } from "./emperor-snapshot.ts";

interface Metric {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  readonly of: (vassal: VassalSnapshot) => number;
}

const WORKER_STATES: readonly WorkerState[] = ["starting", "idle", "busy", "retiring"];

const PER_VASSAL: readonly Metric[] = [
  gauge("up", "A process runs", (vassal) => Number(vassal.up)),
  gauge("ready", "The application is loaded", (vassal) => Number(vassal.ready)),
  gauge("healthy", "The health probe passes", (vassal) => Number(vassal.healthy)),
  gauge("serving", "It takes connections", (vassal) => Number(vassal.serving)),
  gauge("generation", "The generation that serves", (vassal) => vassal.generation),
  gauge("cpu_cores", "CPU share, 1 = one core", (vassal) => vassal.cpu),
  gauge("rss_bytes", "Resident memory", (vassal) => vassal.rssBytes),
  gauge("connections_open", "Open connections", ({ counters }) => counters.connectionsOpen),
  counter("restarts_total", "Deaths that were not asked for", (vassal) => vassal.restarts),
  counter("connections_total", "Connections taken", ({ counters }) => counters.connectionsAccepted),
  counter("requests_total", "Requests answered", ({ counters }) => counters.requestsServed),
  counter(
    "requests_failed_total",
    "Answered with 5xx by tsgi",
    ({ counters }) => counters.requestsFailed,
  ),
  counter(
    "requests_refused_total",
    "Refused by the front",
    ({ counters }) => counters.requestsRefused,
  ),
  counter(
    "connections_reset_total",
    "Cut during a response",
    ({ counters }) => counters.connectionsReset,
  ),
];

function gauge(name: string, help: string, of: Metric["of"]): Metric {
  return { name: `tsgi_vassal_${name}`, type: "gauge", help, of };
}

function counter(name: string, help: string, of: Metric["of"]): Metric {
  return { name: `tsgi_vassal_${name}`, type: "counter", help, of };
}

/** The whole page. Counters are those of the serving generation: a fall is a new generation, as after a restart. */
export function metricsText(snapshot: EmperorSnapshot): string {
  const { emperor, vassals } = snapshot;
  const lines = [
    ...single("tsgi_emperor_uptime_seconds", "Age of the emperor", emperor.uptimeMs / 1000),
    ...single("tsgi_emperor_rss_bytes", "Resident memory of the emperor", emperor.rssBytes),
    ...single("tsgi_emperor_vassals", "Vassals known", vassals.length),
    `# HELP tsgi_emperor_info Release of the emperor`,
    `# TYPE tsgi_emperor_info gauge`,
    `tsgi_emperor_info{version=${quoted(emperor.version)}} 1`,
    ...PER_VASSAL.flatMap((metric) => [
      ...heading(metric.name, metric.type, metric.help),
      ...vassals.map(
        (vassal) => `${metric.name}{vassal=${quoted(vassal.name)}} ${metric.of(vassal)}`,
      ),
    ]),
    ...heading("tsgi_vassal_state", "gauge", "1 for the state it is in"),
    ...vassals.map(
      ({ name, state }) => `tsgi_vassal_state{vassal=${quoted(name)},state=${quoted(state)}} 1`,
    ),
    ...heading("tsgi_vassal_workers", "gauge", "Workers by state"),
    ...vassals.flatMap(workerLines),
  ];
  return `${lines.join("\n")}\n`;
}

function workerLines({ name, workers }: VassalSnapshot): readonly string[] {
  return WORKER_STATES.map((state) => {
    const count = workers.filter((worker) => worker.state === state).length;
    return `tsgi_vassal_workers{vassal=${quoted(name)},state=${quoted(state)}} ${count}`;
  });
}

function single(name: string, help: string, value: number): readonly string[] {
  return [...heading(name, "gauge", help), `${name} ${value}`];
}

function heading(name: string, type: string, help: string): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

/** A label value: backslash, quote and line feed are escaped. */
function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
