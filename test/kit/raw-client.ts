/** A TCP client that says exactly what a test wants and collects what comes back, as latin1 text. */
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";

export class RawClient {
  readonly socket: Socket;
  received = "";
  #isOver = false;
  error: Error | undefined;
  readonly #closed: Promise<void>;
  #wake: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.received += chunk.toString("latin1");
      this.#notify();
    });
    socket.on("error", (error) => {
      this.error = error;
    });
    this.#closed = new Promise((resolve) => {
      const over = (): void => {
        this.#isOver = true;
        this.#notify();
        resolve();
      };
      socket.on("end", over);
      socket.on("close", over);
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    const client = new RawClient(socket);
    await once(socket, "connect");
    return client;
  }

  write(raw: string | Buffer): void {
    this.socket.write(typeof raw === "string" ? Buffer.from(raw, "latin1") : raw);
  }

  /** Half-closes. */
  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Sends RST instead of FIN. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Waits until `pattern` is in what was received; fails when the other side closes before. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.received)) {
      if (this.#isOver)
        throw new Error(`Closed before ${String(pattern)}: ${JSON.stringify(this.received)}`);
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
      });
    }
    return this.received;
  }

  /** Everything up to the FIN or reset of the other side. */
  async untilClosed(): Promise<string> {
    await this.#closed;
    this.socket.destroy();
    return this.received;
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
