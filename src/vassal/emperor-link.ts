/** The vassal's end of the channel to the emperor: dials, says who it is, and dials again for as long as it lives. */
import { createConnection } from "node:net";
import type { Socket } from "node:net";
import { LINK_VERSION } from "../core/version.ts";
import { encodeLine, LineDecoder } from "../ipc/link.ts";
import type { FromVassal, ToVassal, VassalEvent } from "../ipc/link.ts";
import type { VassalSpec } from "../ipc/vassal-spec.ts";

const RETRY_MIN_MS = 50;
const RETRY_MAX_MS = 1000;
/** Events kept while there is no emperor; older ones are dropped. */
const EVENTS_KEPT = 100;
/** An emperor that does not read must not grow this process: beyond it only facts are kept. */
const OUTPUT_MAX_BYTES = 256 * 1024;

type Fact = Exclude<FromVassal, { type: "hello" | "event" | "heartbeat" }>;

/**
 * Facts (ready, accepting, released …) are remembered and repeated to an emperor that comes later;
 * events wait in a bounded list; heartbeats are only sent when somebody listens.
 */
export class EmperorLink {
  readonly #spec: VassalSpec;
  readonly #onMessage: (message: ToVassal) => void;
  readonly #facts = new Map<Fact["type"], Fact>();
  #events: VassalEvent[] = [];
  #socket: Socket | undefined;
  #connected = false;
  #retryMs = RETRY_MIN_MS;
  #closed = false;

  constructor(spec: VassalSpec, onMessage: (message: ToVassal) => void) {
    this.#spec = spec;
    this.#onMessage = onMessage;
  }

  start(): void {
    if (this.#spec.link === undefined || this.#closed) return;
    const decoder = new LineDecoder();
    const socket = createConnection({ path: this.#spec.link.path });
    this.#socket = socket;
    socket.setEncoding("utf8");
    socket.on("connect", () => this.#greet(socket));
    socket.on("data", (chunk) => this.#receive(socket, decoder, String(chunk)));
    // The close event follows and decides what happens next.
    socket.on("error", () => undefined);
    socket.on("close", () => this.#redial());
  }

  fact(message: Fact): void {
    this.#facts.set(message.type, message);
    this.#write(message);
  }

  event(event: VassalEvent): void {
    if (this.#connected) this.#write({ type: "event", event });
    else this.#events = [...this.#events.slice(1 - EVENTS_KEPT), event];
  }

  heartbeat(message: Extract<FromVassal, { type: "heartbeat" }>): void {
    this.#write(message);
  }

  /** Resolves when everything said has left this process, or there is nobody to say it to. */
  async close(): Promise<void> {
    this.#closed = true;
    const socket = this.#socket;
    if (socket === undefined || !this.#connected) {
      socket?.destroy();
      return;
    }
    await new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
      socket.end();
      socket.destroySoon();
    });
  }

  #greet(socket: Socket): void {
    const { link, name, generation } = this.#spec;
    this.#connected = true;
    this.#retryMs = RETRY_MIN_MS;
    const hello: FromVassal = {
      type: "hello",
      linkVersion: LINK_VERSION,
      name,
      generation,
      pid: process.pid,
      token: link?.token ?? "",
    };
    const events = this.#events.map((event): FromVassal => ({ type: "event", event }));
    this.#events = [];
    const messages: readonly FromVassal[] = [hello, ...this.#facts.values(), ...events];
    socket.write(messages.map(encodeLine).join(""));
  }

  #receive(socket: Socket, decoder: LineDecoder, chunk: string): void {
    try {
      for (const value of decoder.push(chunk)) {
        const message = parseToVassal(value);
        if (message !== undefined) this.#onMessage(message);
      }
    } catch {
      // Garbage from the other side: start over with a fresh connection.
      socket.destroy();
    }
  }

  #write(message: FromVassal): void {
    const socket = this.#socket;
    if (socket === undefined || !this.#connected) return;
    const isFact = message.type !== "event" && message.type !== "heartbeat";
    if (isFact || socket.writableLength < OUTPUT_MAX_BYTES) socket.write(encodeLine(message));
  }

  #redial(): void {
    this.#connected = false;
    if (this.#closed) return;
    const delayMs = this.#retryMs * (0.5 + Math.random());
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
    setTimeout(() => this.start(), delayMs).unref();
  }
}

/** Unknown messages are ignored: a newer emperor may say more. */
function parseToVassal(value: unknown): ToVassal | undefined {
  if (typeof value !== "object" || value === null || !("type" in value)) return undefined;
  if (value.type === "serve" || value.type === "stop" || value.type === "report") {
    return { type: value.type };
  }
  if (value.type === "drain" && "timeoutMs" in value && typeof value.timeoutMs === "number") {
    return { type: "drain", timeoutMs: value.timeoutMs };
  }
  return undefined;
}
