/** What a vassal process is told at birth: final data, read once from an inherited descriptor. It never parses a vassal file. */
import type { ListenAddress, VassalConfig } from "../config/vassal-config.ts";

/** Descriptor numbers in every vassal process. */
export const SPEC_FD = 3;
export const FIRST_LISTEN_FD = 4;

export interface VassalSpec {
  readonly linkVersion: number;
  readonly name: string;
  readonly generation: number;
  readonly config: VassalConfig;
  /** The working directory with every symlink resolved: what this generation, and any worker of it, loads from. */
  readonly release: string;
  /** The directory as written, for people. */
  readonly directory: string;
  /** Environment of the application, complete: nothing else of the emperor's reaches it. */
  readonly env: Readonly<Record<string, string>>;
  /** Inherited listening sockets, one to an address, from FIRST_LISTEN_FD on. */
  readonly listeners: readonly { readonly fd: number; readonly address: ListenAddress }[];
  /** Absolute path, opened with O_APPEND; stdout and stderr of the vassal process already lead there. */
  readonly logFile: string;
  /** A private folder (mode 0700) for sockets of this generation, removed by the launcher afterwards. */
  readonly scratch: string;
  /** Where to find the emperor; absent when run by `tsgi run`. */
  readonly link?: { readonly path: string; readonly token: string };
  /** Files that belong to the program: worker entry points and bridges. */
  readonly programs: {
    readonly node: string;
    readonly nodeWorker: string;
    readonly pythonBridge: string;
  };
}
