/** Bytes from a worker back to frames; may be cut at any byte. */
import { FRAME_HEADER_BYTES, FRAME_MAX, RESPONSE_FIXED_BYTES } from "./frame.ts";

/** Gets every frame as a range of `bytes`, which stays valid afterwards. */
export type TakeFrame = (
  type: number,
  id: number,
  bytes: Buffer,
  start: number,
  end: number,
) => void;

/** A frame that cannot be: the worker is out of step and has to go. */
export class ChannelError extends Error {
  override readonly name = "ChannelError";
}

export class FrameDecoder {
  readonly #take: TakeFrame;
  #rest: Buffer | undefined;
  /** Chunks of a frame that is longer than what has come, and how many bytes it needs. */
  #parts: Buffer[] = [];
  #partBytes = 0;
  #needBytes = 0;

  constructor(take: TakeFrame) {
    this.#take = take;
  }

  /** Throws ChannelError for a frame above FRAME_MAX. */
  push(chunk: Buffer): void {
    const bytes = this.#gather(chunk);
    if (bytes === undefined) return;
    let position = 0;
    while (bytes.length - position >= FRAME_HEADER_BYTES) {
      const size = bytes.readUInt32LE(position);
      if (size > FRAME_MAX) {
        throw new ChannelError(`Cannot read a frame of ${size} bytes: the limit is ${FRAME_MAX}`);
      }
      const start = position + FRAME_HEADER_BYTES;
      const end = start + size;
      if (end > bytes.length) {
        this.#needBytes = end - position;
        break;
      }
      const id = bytes.readUInt32LE(position + 4);
      position = end;
      this.#take(bytes[start - 1] ?? 0, id, bytes, start, end);
    }
    this.#rest = position < bytes.length ? bytes.subarray(position) : undefined;
  }

  /** Bytes that are worth looking at; long frames are put together once, not chunk by chunk. */
  #gather(chunk: Buffer): Buffer | undefined {
    if (this.#rest === undefined && this.#parts.length === 0) return chunk;
    if (this.#rest !== undefined) {
      this.#parts.push(this.#rest);
      this.#partBytes = this.#rest.length;
      this.#rest = undefined;
    }
    this.#parts.push(chunk);
    this.#partBytes += chunk.length;
    if (this.#partBytes < this.#needBytes) return undefined;
    const bytes = Buffer.concat(this.#parts, this.#partBytes);
    this.#parts = [];
    this.#partBytes = 0;
    this.#needBytes = 0;
    return bytes;
  }
}

/** The head of a response as FULL and HEAD carry it. */
export interface ResponseStart {
  readonly status: number;
  readonly reason: string;
  /** "Name: value\r\n" each, latin1. */
  readonly lines: string;
  /** -1 when unknown. */
  readonly contentLength: number;
  /** Where the body begins in the frame. */
  readonly bodyStart: number;
}

/** Reads the fixed part, the reason and the header lines. Throws ChannelError when they do not fit. */
export function decodeResponseStart(bytes: Buffer, start: number, end: number): ResponseStart {
  const reasonStart = start + RESPONSE_FIXED_BYTES;
  if (reasonStart > end) throw new ChannelError("Cannot read the head of a response: it is cut");
  const linesStart = reasonStart + bytes.readUInt16LE(start + 2);
  const bodyStart = linesStart + bytes.readUInt32LE(start + 4);
  if (bodyStart > end) throw new ChannelError("Cannot read the head of a response: it is cut");
  const high = bytes.readUInt32LE(start + 12);
  return {
    status: bytes.readUInt16LE(start),
    reason: bytes.toString("latin1", reasonStart, linesStart),
    lines: bytes.toString("latin1", linesStart, bodyStart),
    contentLength: high === 0xffff_ffff ? -1 : high * 0x1_0000_0000 + bytes.readUInt32LE(start + 8),
    bodyStart,
  };
}
