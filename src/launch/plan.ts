/** Turns a vassal's configuration and the facts of the machine into the spec and command line of one generation. Pure. */
import type { ListenAddress, VassalConfig } from "../config/vassal-config.ts";
import { FIRST_LISTEN_FD } from "../ipc/vassal-spec.ts";
import type { VassalSpec } from "../ipc/vassal-spec.ts";
import { LINK_VERSION } from "../core/version.ts";
import { applicationEnvironment, processEnvironment } from "./environment.ts";
import type { Identity } from "./identity.ts";

/** What the launcher decides for this generation. */
export interface LaunchOrder {
  readonly name: string;
  readonly generation: number;
  readonly config: VassalConfig;
  /** Absolute path of the vassal file; relative paths in the configuration start from its folder. */
  readonly file: string;
  /** Listening sockets that the caller owns and keeps, in the order of `config.listen`. */
  readonly listeners: readonly { readonly fd: number; readonly address: ListenAddress }[];
  /** Where output goes when the configuration names no `log`. */
  readonly defaultLogFile: string;
  /** Folder for the spec file and the scratch folder; short, because unix socket paths have 107 bytes. */
  readonly runtimeDir: string;
  readonly link?: { readonly path: string; readonly token: string };
  readonly programs: LaunchPrograms;
  /** The launcher's own environment; only an allow-list of it goes further. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Further names of that environment that an operator wants vassals to have. */
  readonly envPass?: readonly string[];
}

export type LaunchPrograms = VassalSpec["programs"] & {
  /** The vassal program, `dist/vassal.cjs`. */
  readonly vassal: string;
};

/** What was found out about the machine for this order. */
export interface LaunchFacts {
  readonly release: string;
  readonly directory: string;
  readonly logFile: string;
  readonly scratch: string;
  /** What the env-files say. */
  readonly fileEnv: Readonly<Record<string, string>>;
  readonly identity?: Identity;
  /** Absolute paths of the tools that the command line needs. */
  readonly prlimit?: string;
  readonly setpriv?: string;
}

export interface LaunchPlan {
  readonly spec: VassalSpec;
  /** Every program of the chain execs the next one, so the pid stays the vassal's. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** Environment of the vassal process itself; what `env:` says reaches only the application (`spec.env`). */
  readonly env: Readonly<Record<string, string>>;
}

export function planLaunch(order: LaunchOrder, facts: LaunchFacts): LaunchPlan {
  const { vassal, ...programs } = order.programs;
  const listeners = order.listeners.map((listener, index) => ({
    fd: FIRST_LISTEN_FD + index,
    address: listener.address,
  }));
  const env = processEnvironment(order.env, order.envPass ?? [], facts.identity);
  const spec: VassalSpec = {
    linkVersion: LINK_VERSION,
    name: order.name,
    generation: order.generation,
    config: order.config,
    release: facts.release,
    directory: facts.directory,
    env: applicationEnvironment(env, facts.fileEnv, order.config.env),
    listeners,
    logFile: facts.logFile,
    scratch: facts.scratch,
    ...(order.link && { link: order.link }),
    programs,
  };
  return {
    spec,
    argv: [
      ...limitsChain(order.config, facts),
      ...identityChain(facts),
      programs.node,
      vassal,
    ] as unknown as [string, ...string[]],
    cwd: facts.release,
    env,
  };
}

/** Whether the configuration asks for limits that `prlimit` sets. */
export function needsPrlimit(config: VassalConfig): boolean {
  return prlimitFlags(config).length > 0;
}

function limitsChain(config: VassalConfig, facts: LaunchFacts): readonly string[] {
  const flags = prlimitFlags(config);
  return flags.length === 0 || facts.prlimit === undefined ? [] : [facts.prlimit, ...flags];
}

function prlimitFlags(config: VassalConfig): readonly string[] {
  const { openFiles, tasks, coreBytes } = config.limits;
  return [
    ...(openFiles === undefined ? [] : [`--nofile=${openFiles}`]),
    ...(tasks === undefined ? [] : [`--nproc=${tasks}`]),
    ...(coreBytes === undefined ? [] : [`--core=${coreBytes}`]),
  ];
}

function identityChain(facts: LaunchFacts): readonly string[] {
  const { identity, setpriv } = facts;
  if (identity === undefined || setpriv === undefined) return [];
  return [
    setpriv,
    `--reuid=${identity.uid}`,
    `--regid=${identity.gid}`,
    // --init-groups looks the uid up in the user database; a bare number has no groups to take.
    identity.user === undefined ? "--clear-groups" : "--init-groups",
    "--no-new-privs",
    "--inh-caps=-all",
  ];
}
