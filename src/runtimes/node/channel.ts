/**
 * The worker's end of the channel to its vassal process. Not Node's own IPC: an application that looks for
 * `process.send` must not find a stranger behind it, and a last word has to be possible from an exit handler.
 */
import { writeSync } from "node:fs";
import { Socket } from "node:net";
import { LineDecoder } from "../../ipc/link.ts";
import { systemCode } from "../../core/errors.ts";
import { CHANNEL_FD } from "./worker-settings.ts";
import type { FromWorker, ToWorker } from "./worker-messages.ts";

const TEXT_MAX = 12_000;
const FULL_RETRIES = 200;

export class Channel {
  readonly #socket = new Socket({ fd: CHANNEL_FD, readable: true, writable: true });
  readonly #decoder = new LineDecoder();
  #gone = false;

  /** `onGone` is called once, when the vassal process is no more. */
  constructor(onMessage: (message: ToWorker) => void, onGone: () => void) {
    const gone = (): void => {
      if (this.#gone) return;
      this.#gone = true;
      onGone();
    };
    this.#socket.setEncoding("utf8");
    this.#socket.on("data", (chunk: string) => {
      for (const message of this.#decoder.push(chunk)) onMessage(message as ToWorker);
    });
    // EPIPE and ECONNRESET mean the same as the end: nobody listens any more.
    this.#socket.on("error", gone);
    this.#socket.on("close", gone);
  }

  send(message: FromWorker): void {
    if (!this.#gone && this.#socket.writable) this.#socket.write(encode(message));
  }

  /** The channel keeps a process alive only while somebody may still be told to serve. */
  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }
}

/** Writes a message at once, from any thread and from exit handlers; gives up when the reader is gone or stalls. */
export function sendNow(message: FromWorker): void {
  let rest = Buffer.from(encode(message));
  for (let tries = 0; rest.length > 0 && tries < FULL_RETRIES; tries += 1) {
    try {
      rest = rest.subarray(writeSync(CHANNEL_FD, rest));
    } catch (error) {
      if (systemCode(error) !== "EAGAIN") return;
      // The socket is full: its reader is the vassal process, which is never busy for long.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function encode(message: FromWorker): string {
  return `${JSON.stringify(message, (_key, value: unknown) =>
    typeof value === "string" && value.length > TEXT_MAX ? `${value.slice(0, TEXT_MAX)}…` : value,
  )}\n`;
}
