/** Request-log lines on their way to the vassal process: one write for what a turn of the event loop produced. */
import { Socket } from "node:net";

const WAITING_MAX = 1_048_576;

export class LineWriter {
  readonly #socket: Socket;
  #lines: string[] = [];
  #dropped = 0;

  constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: false, writable: true });
    this.#socket.unref();
    // The vassal process is gone: the channel tells, and log lines have no reader.
    this.#socket.on("error", () => undefined);
  }

  /** `text` has no line break. Dropped when the reader cannot keep up: requests never wait for their log. */
  line(text: string): void {
    if (this.#socket.writableLength > WAITING_MAX) {
      this.#dropped += 1;
      return;
    }
    if (this.#lines.push(text) === 1) setImmediate(() => this.flush());
  }

  /** By itself once a turn; by hand when the process ends. */
  flush(): void {
    if (this.#lines.length === 0) return;
    const lines = this.#lines;
    this.#lines = [];
    if (this.#dropped > 0) lines.push(`${this.#dropped} lines of the request log were dropped`);
    this.#dropped = 0;
    if (this.#socket.writable) this.#socket.write(`${lines.join("\n")}\n`);
  }
}
