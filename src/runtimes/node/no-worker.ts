/** A worker that does not exist: what a pool gets that asks for one while its vassal drains. */
import type { WorkerEvents, WorkerProcess } from "../pool/worker-source.ts";

/** It never gets ready and ends when it is told to. */
export function noWorker(events: WorkerEvents): WorkerProcess {
  let gone = false;
  const end = (): void => {
    if (gone) return;
    gone = true;
    setImmediate(() => events.exited({ code: 0, signal: undefined }));
  };
  return { pid: 0, requests: () => 0, inFlight: () => 0, retire: end, kill: end };
}
