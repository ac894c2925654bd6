/** uWSGI options that tsgi accepts and ignores with a warning: what they ask for is always so, or has no counterpart. */
import type { OptionSpec, OptionType } from "../option.ts";
import { vassalOption } from "../option.ts";

/** Any value; it is not looked at. */
const anything: OptionType<true> = {
  label: "anything",
  word: "value",
  schema: {},
  read: () => true,
  show: () => "",
};

/** Name and the reason why it needs no saying. */
const REASONS: Readonly<Record<string, string>> = {
  master: "a vassal always has a master process",
  "die-on-term": "SIGTERM always stops a vassal",
  vacuum: "sockets are always removed",
  "need-app": "a vassal never serves without its application",
  strict: "unknown options are always errors",
  "enable-threads": "threads of the application always run",
  "single-interpreter": "each worker has one interpreter",
  "thunder-lock": "one connection never wakes all workers",
  "no-orphans": "workers never outlive their vassal",
  "reuse-port": "the emperor holds the sockets",
  "chmod-socket": "the emperor sets the mode of its sockets",
  "chown-socket": "the emperor owns its sockets",
  pidfile: "'tsgi-emperor status' shows the pid",
  pidfile2: "'tsgi-emperor status' shows the pid",
  safe_pidfile: "'tsgi-emperor status' shows the pid",
  "auto-procname": "processes are always named",
  "procname-prefix": "processes are named after the vassal",
  "procname-prefix-spaced": "processes are named after the vassal",
  plugin: "runtimes are built in",
  plugins: "runtimes are built in",
  "need-plugin": "runtimes are built in",
  "plugins-dir": "runtimes are built in",
  "http-keepalive": "connections are kept alive, see http.keep-alive",
  "so-keepalive": "dead connections are found by the times under http",
  "http-auto-chunked": "responses without a length are always chunked",
  "http-chunked-input": "chunked request bodies are always read",
  "http-raw-body": "bodies are always streamed",
  "http-websockets": "upgrades need no option",
  "post-buffering": "bodies are streamed",
  "ignore-sigpipe": "a client that goes away is never an error",
  "ignore-write-errors": "a client that goes away is never an error",
  "disable-write-exception": "a client that goes away is never an error",
  "py-autoreload": "touching the vassal file deploys",
  "log-master": "the log is always written by the vassal",
  "threaded-logger": "the log is always written by the vassal",
  "log-reopen": "the log is appended to",
  "log-date": "lines of the log always carry the time",
  "harakiri-verbose": "the stack of a request past its deadline is always logged",
  "max-requests-delta": "the limit is always spread over the workers",
  "max-worker-lifetime-delta": "the limit is always spread over the workers",
  "min-worker-lifetime": "recycling is paced by itself",
  "memory-report": "'tsgi-emperor status' shows the memory",
  "die-on-no-workers": "workers are always started again",
};

export const IGNORED_OPTIONS: readonly OptionSpec<true>[] = Object.entries(REASONS).map(
  ([name, reason]) =>
    vassalOption({
      name,
      family: "ignored",
      type: anything,
      defaultText: "ignored",
      doc: reason,
      example: `${name}: true`,
    }),
);
