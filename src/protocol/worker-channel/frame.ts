/**
 * Frames of the worker channel, both ways: u32 length of the payload, u32 request id, u8 type, payload (little endian).
 * The same numbers stand in src/runtimes/python/tsgi_worker.py and tsgi_wsgi.py; a test keeps them equal.
 */

export const FRAME_HEADER_BYTES = 9;
/** Longest payload; a longer one means that the other side is not speaking this protocol. */
export const FRAME_MAX = 4 * 1024 * 1024;
/** u16 status, u16 reason, u32 lines, u32 + u32 content length: the fixed part of FULL and HEAD. */
export const RESPONSE_FIXED_BYTES = 16;

export const FRAME = {
  /** Environ block of a request without a body. */
  request: 1,
  /** … whose body follows by itself. */
  requestBody: 2,
  /** … whose body waits for ASK, because the client waits for "100 Continue". */
  requestAsk: 3,
  /** Body bytes, of a request or a response. */
  data: 4,
  end: 5,
  /** u32: so many body bytes were used up. */
  credit: 6,
  /** The client is gone. */
  abort: 7,
  /** Control: give back every request that has not begun. */
  recall: 8,
  /** Control: the stack of the thread that runs this request. */
  dump: 9,
  /** Control: send the answers that wait for the rest of their batch. */
  flush: 10,
  ping: 11,
  /** A whole response. */
  full: 32,
  /** Head of a response whose body follows. */
  head: 33,
  /** Fixed part, reason and lines of a head that is going to be repeated; the id of the frame is its number. */
  template: 34,
  /** A whole response: u16 number of its head, then the body, whose length is the content length. */
  short: 35,
  /** The application failed; UTF-8 text says how. */
  fail: 36,
  /** An aborted request is over. */
  done: 37,
  ask: 38,
  ready: 48,
  /** u32 each: requests given back. */
  recalled: 49,
  stack: 50,
  /** The worker was asked to end: it is to get nothing more. */
  leaving: 51,
  pong: 52,
} as const;

/** Numbers of repeated heads are below this. */
export const TEMPLATES_MAX = 1024;

export type FrameType = (typeof FRAME)[keyof typeof FRAME];

/** The header of a frame as latin1 text: many frames are one string, written by one call. */
export function frameHeader(type: FrameType, id: number, length: number): string {
  return String.fromCharCode(
    length & 255,
    (length >> 8) & 255,
    (length >> 16) & 255,
    length >>> 24,
    id & 255,
    (id >> 8) & 255,
    (id >> 16) & 255,
    id >>> 24,
    type,
  );
}

/** A whole frame with a latin1 payload. */
export function encodeFrame(type: FrameType, id: number, payload = ""): string {
  return frameHeader(type, id, payload.length) + payload;
}

/** A frame that carries one number, such as CREDIT. */
export function encodeNumberFrame(type: FrameType, id: number, value: number): string {
  return encodeFrame(
    type,
    id,
    String.fromCharCode(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24),
  );
}
