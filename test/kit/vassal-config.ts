/** A complete vassal configuration for tests of pure parts: defaults of a static vassal, with what a test changes. */
import type { ListenAddress, VassalConfig } from "../../src/config/vassal-config.ts";

export function tcp(port: number, host = "127.0.0.1"): ListenAddress {
  return { kind: "tcp", protocol: "http", host, port, text: `http://${host}:${port}` };
}

export function unix(path: string): ListenAddress {
  return { kind: "unix", protocol: "http", path, text: `http+unix://${path}` };
}

export function sampleConfig(changes: Partial<VassalConfig> = {}): VassalConfig {
  return {
    app: { kind: "static", root: "/srv/www" },
    listen: [tcp(8001)],
    env: {},
    envFile: [],
    pythonpath: [],
    preload: true,
    workers: { min: 1, max: 1 },
    threads: 1,
    deadlineMs: 0,
    maxRequests: 0,
    maxLifetimeMs: 0,
    maxRssBytes: 0,
    readyTimeoutMs: 60_000,
    drainTimeoutMs: 30_000,
    touch: [],
    limits: {},
    requestLog: "none",
    tags: [],
    http: {
      maxTargetBytes: 8192,
      maxHeadBytes: 65_536,
      maxHeaders: 100,
      maxBodyBytes: 1024 ** 2,
      headTimeoutMs: 10_000,
      bodyTimeoutMs: 30_000,
      keepAliveMs: 5000,
      sendTimeoutMs: 30_000,
      maxConnections: 1000,
    },
    static: { index: ["index.html"], followSymlinks: false, precompressed: false },
    exec: { socket: "port" },
    ...changes,
  };
}

/** A seeded random source (mulberry32): the same seed tells the same story. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
