/** The FIFOs that workers print to, seen from the vassal process. */
import { constants, openSync, unlinkSync } from "node:fs";
import { Socket } from "node:net";

/**
 * The reading end of a FIFO that a worker writes to; its name goes away. A FIFO and not a socket, because programs open
 * /dev/stdout; the writer has it open already, so nothing is lost and the open does not wait.
 */
export function openFifo(path: string): Socket | undefined {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    unlinkSync(path);
    return new Socket({ fd, readable: true, writable: false });
  } catch {
    // The worker is gone already and its scratch with it.
    return undefined;
  }
}

/** Removes a file that may be gone. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone is what it was to be.
  }
}
