/** Bytes on their way to one client: text is gathered for one write, large bodies go in pieces, a slow client is noticed. */
import type { Socket } from "node:net";

/** Bodies up to here are copied behind their head, so that both are one write; above, the copy costs more than a second buffer. */
const COPY_MAX = 16_384;
/** Gathered text is written at the latest when it is this long. */
const GATHER_MAX = 65_536;
/** One write to the socket: small enough that progress shows before a send timeout. */
const PIECE_MAX = 262_144;

/** The order of calls is the order of bytes. Bounded: `isFull` says when to stop, and who obeys keeps at most one chunk more. */
export class ResponseWriter {
  readonly #socket: Socket;
  #text = "";
  #pieces: Buffer[] = [];
  #needsDrain = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** True when the client has not taken what was written. */
  get isFull(): boolean {
    return this.#needsDrain;
  }

  /** True when something has not reached the kernel. */
  get isPending(): boolean {
    return this.#text !== "" || this.#pieces.length > 0 || this.#socket.writableLength > 0;
  }

  /** A number that changes whenever the client took something while there is more. */
  get pendingBytes(): number {
    let bytes = this.#socket.writableLength;
    for (const piece of this.#pieces) bytes += piece.length;
    return bytes;
  }

  /** Latin1 text; written by `flush`. */
  text(text: string): void {
    this.#text = this.#text === "" ? text : this.#text + text;
    if (this.#text.length >= GATHER_MAX) this.flush();
  }

  /** A body chunk and the text that ends its frame. */
  bytes(chunk: Buffer, suffix: string): void {
    if (chunk.length <= COPY_MAX) {
      this.text(chunk.toString("latin1", 0, chunk.length) + suffix);
      return;
    }
    this.#socket.cork();
    this.flush();
    for (let at = 0; at < chunk.length; at += PIECE_MAX) {
      this.#put(chunk.length <= PIECE_MAX ? chunk : chunk.subarray(at, at + PIECE_MAX));
    }
    if (suffix !== "") {
      this.#text = suffix;
      this.flush();
    }
    this.#socket.uncork();
  }

  flush(): void {
    if (this.#text === "") return;
    const text = this.#text;
    this.#text = "";
    if (this.#pieces.length > 0) this.#pieces.push(Buffer.from(text, "latin1"));
    else if (!this.#socket.write(text, "latin1")) this.#needsDrain = true;
  }

  /** The socket has taken all that was written: the next pieces follow. Returns true when the writer is not full any more. */
  drained(): boolean {
    this.#needsDrain = false;
    let sent = 0;
    while (!this.#needsDrain && sent < this.#pieces.length) {
      const piece = this.#pieces[sent];
      sent += 1;
      if (piece !== undefined && !this.#socket.write(piece)) this.#needsDrain = true;
    }
    if (sent > 0) this.#pieces = this.#pieces.slice(sent);
    return !this.#needsDrain;
  }

  #put(piece: Buffer): void {
    if (this.#needsDrain || this.#pieces.length > 0) this.#pieces.push(piece);
    else if (!this.#socket.write(piece)) this.#needsDrain = true;
  }
}
