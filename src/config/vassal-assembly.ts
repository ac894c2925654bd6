/** Typed option values to a VassalConfig, and the rules that involve more than one option. */
import type { OptionSpec } from "./option.ts";
import * as application from "./options/application.ts";
import * as http from "./options/http.ts";
import * as identity from "./options/identity.ts";
import * as lifecycle from "./options/lifecycle.ts";
import { listen } from "./options/listen.ts";
import * as logging from "./options/logging.ts";
import * as files from "./options/static.ts";
import * as workers from "./options/workers.ts";
import type { Place } from "./problem.ts";
import type { Findings } from "./findings.ts";
import type { Settings } from "./settings.ts";
import { folderOf } from "./types/path.ts";
import { addressesClash } from "./types/listen-address.ts";
import type { AppConfig, VassalConfig } from "./vassal-config.ts";

const APP_OPTIONS: readonly OptionSpec<unknown>[] = [
  application.python,
  application.node,
  application.staticRoot,
  application.exec,
];

/** The configuration, or undefined when `findings` has an error (then or before). `start` is where missing keys are reported. */
export function assembleVassal(
  settings: Settings,
  folder: string,
  findings: Findings,
  start: Place,
): VassalConfig | undefined {
  const app = assembleApp(settings, findings, start);
  const addresses = settings.find(listen);
  if (!settings.mentioned.has(listen.name) && !settings.suggested.has(listen.name)) {
    findings.add("error", start, {
      key: "listen",
      message: "the key 'listen' is missing",
      fix: "say where to serve, as in 'listen: http://127.0.0.1:8080'",
    });
  }
  if (addresses !== undefined) checkAddresses(settings, findings);
  if (app !== undefined) warnOfNoEffect(app, settings, findings);
  if (app === undefined || addresses === undefined || findings.errors.length > 0) return undefined;
  return {
    app,
    listen: addresses,
    directory: settings.find(application.directory) ?? folderOfApp(app) ?? folder,
    env: settings.get(application.env),
    envFile: settings.get(application.envFile),
    ...optional("interpreter", settings.find(application.interpreter)),
    ...optional("virtualenv", settings.find(application.virtualenv)),
    pythonpath: settings.get(application.pythonpath),
    preload: settings.get(application.preload),
    workers: settings.get(workers.workers),
    threads: settings.get(workers.threads),
    deadlineMs: settings.get(workers.deadline),
    maxRequests: settings.get(workers.maxRequests),
    maxLifetimeMs: settings.get(workers.maxLifetime),
    maxRssBytes: settings.get(workers.maxRss),
    readyTimeoutMs: settings.get(lifecycle.readyTimeout),
    drainTimeoutMs: settings.get(lifecycle.drainTimeout),
    ...optional("health", settings.find(lifecycle.health)),
    touch: settings.get(lifecycle.touch),
    ...optional("user", settings.find(identity.user)),
    ...optional("group", settings.find(identity.group)),
    limits: {
      ...optional("openFiles", settings.find(identity.openFiles)),
      ...optional("tasks", settings.find(identity.tasks)),
      ...optional("coreBytes", settings.find(identity.core)),
    },
    ...optional("log", settings.find(logging.log)),
    requestLog: settings.get(logging.requestLog),
    tags: settings.get(logging.tags),
    http: {
      maxTargetBytes: settings.get(http.maxTarget),
      maxHeadBytes: settings.get(http.maxHead),
      maxHeaders: settings.get(http.maxHeaders),
      maxBodyBytes: settings.get(http.maxBody),
      headTimeoutMs: settings.get(http.headTimeout),
      bodyTimeoutMs: settings.get(http.bodyTimeout),
      keepAliveMs: settings.get(http.keepAlive),
      sendTimeoutMs: settings.get(http.sendTimeout),
      maxConnections: settings.get(http.maxConnections),
    },
    static: {
      index: settings.get(files.staticIndex),
      followSymlinks: settings.get(files.staticFollowSymlinks),
      ...optional("cacheControl", settings.find(files.staticCacheControl)),
      ...optional("fallback", settings.find(files.staticFallback)),
      precompressed: settings.get(files.staticPrecompressed),
    },
    exec: { socket: settings.get(application.execSocket) },
  };
}

/** `node: /srv/blog/app.mjs` alone says where the application lives; that folder is then the release. */
function folderOfApp(app: AppConfig): string | undefined {
  if (app.kind !== "python" && app.kind !== "node") return undefined;
  return app.target.startsWith("/") ? folderOf(app.target) : undefined;
}

function assembleApp(settings: Settings, findings: Findings, start: Place): AppConfig | undefined {
  const named = APP_OPTIONS.filter((spec) => settings.mentioned.has(spec.name));
  if (named.length === 0) {
    if (APP_OPTIONS.some((spec) => settings.suggested.has(spec.name))) return undefined;
    return findings.add("error", start, {
      message: "no application is named",
      fix: "write exactly one of python, node, static or exec, as in 'python: blog.wsgi:application'",
    });
  }
  for (const spec of named.slice(1)) {
    const origin = settings.mentioned.get(spec.name);
    const first = named[0] && settings.mentioned.get(named[0].name);
    findings.add("error", origin ?? start, {
      key: origin?.key ?? spec.name,
      message: `'${origin?.key}' names a second application beside '${first?.key}'`,
      fix: "a vassal serves exactly one application: use one file for each",
    });
  }
  const python = settings.find(application.python);
  const callable = settings.find(application.callable);
  const callableOrigin = settings.mentioned.get("callable");
  if (callableOrigin !== undefined && (python === undefined || python.callable !== undefined)) {
    const known = settings.mentioned.has("python") && python === undefined;
    if (!known && (python === undefined || python.callable !== callable)) {
      findings.add("error", callableOrigin, {
        key: "callable",
        message:
          python === undefined
            ? "'callable' belongs to a python application, and none is named"
            : `'callable' disagrees with ':${python.callable}' in '${settings.mentioned.get("python")?.key}'`,
        fix: "remove the key 'callable'",
      });
    }
  }
  if (python !== undefined) {
    return {
      kind: "python",
      target: python.target,
      ...optional("callable", python.callable ?? callable),
    };
  }
  const target = settings.find(application.node);
  if (target !== undefined) return { kind: "node", target };
  const root = settings.find(application.staticRoot);
  if (root !== undefined) return { kind: "static", root };
  const argv = settings.find(application.exec);
  return argv === undefined ? undefined : { kind: "exec", argv };
}

/** A key that belongs to another kind of application would otherwise be a typing error that nobody hears of. */
function warnOfNoEffect(app: AppConfig, settings: Settings, findings: Findings): void {
  for (const { spec, origin } of settings.given.values()) {
    if (spec.only === undefined || spec.only.includes(app.kind)) continue;
    findings.add("warning", origin, {
      key: origin.key,
      message: `'${origin.key}' has no effect for this application, only for ${spec.only.join(" and ")}`,
      fix: "the line can be removed",
    });
  }
}

function checkAddresses(settings: Settings, findings: Findings): void {
  const addresses = settings.get(listen);
  const origin = settings.given.get(listen.name)?.origin;
  for (const [at, address] of addresses.entries()) {
    const clash = addresses.slice(0, at).find((other) => addressesClash(other, address));
    if (clash !== undefined && origin !== undefined) {
      findings.add("error", origin, {
        key: "listen",
        value: address.text,
        message: `'${address.text}' and '${clash.text}' cannot both be served`,
        fix: "keep one of them",
      });
      return;
    }
  }
}

/** A property only when there is a value: optional properties are absent, never undefined. */
function optional<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: T });
}
