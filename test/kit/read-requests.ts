/** Plays bytes through the request decoder, cut wherever a test wants, and tells what came out. */
import { ProtocolError } from "../../src/protocol/codec.ts";
import { RequestDecoder } from "../../src/protocol/http1/request-decoder.ts";
import type { RequestEvent, RequestLimits } from "../../src/protocol/http1/request-decoder.ts";
import type { RequestHead } from "../../src/protocol/request.ts";

export interface ReadRequest {
  readonly head: RequestHead;
  /** latin1 */
  readonly body: string;
  readonly trailers: readonly string[];
  readonly complete: boolean;
}

export interface ReadOutcome {
  readonly requests: readonly ReadRequest[];
  /** The code of the ProtocolError, "truncated" when the input ends inside a message. */
  readonly error?: string;
  readonly status?: number;
  readonly offset?: number;
}

export const TEST_LIMITS: RequestLimits = {
  maxTargetBytes: 8192,
  maxHeadBytes: 32_768,
  maxHeaders: 100,
  maxBodyBytes: 1_048_576,
};

/** Everything that can be read of `raw`, fed in pieces that end at `cuts` and at the end. A connection that closes is not read on. */
export function readRequests(
  raw: Buffer,
  cuts: readonly number[] = [],
  limits: RequestLimits = TEST_LIMITS,
): ReadOutcome {
  const decoder = new RequestDecoder(limits);
  const open: {
    head: RequestHead;
    body: string;
    trailers: readonly string[];
    complete: boolean;
  }[] = [];
  let isOver = false;
  const take = (event: RequestEvent): void => {
    const last = open.at(-1);
    if (event.type === "head") {
      open.push({
        head: event.head,
        body: "",
        trailers: [],
        complete: event.head.body.kind === "none",
      });
    } else if (last === undefined) {
      throw new TypeError(`Cannot place ${event.type}: there was no head`);
    } else if (event.type === "data") {
      last.body += event.chunk.toString("latin1");
    } else {
      last.trailers = event.trailers;
      last.complete = true;
    }
    const newest = open.at(-1);
    isOver = newest !== undefined && newest.complete && !newest.head.keepAlive;
  };
  try {
    let from = 0;
    for (const to of [...cuts, raw.length]) {
      // A copy of exactly this piece: nothing behind the cut can be seen.
      decoder.push(Buffer.from(raw.subarray(from, to)));
      from = to;
      for (let event = decoder.next(); event !== undefined; event = decoder.next()) {
        take(event);
        if (isOver) return { requests: open };
      }
    }
    decoder.end();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { requests: open, error: error.code, status: error.status, offset: error.offset };
  }
  return { requests: open };
}

/** Every offset: the input arrives byte by byte. */
export function everyByte(raw: Buffer): readonly number[] {
  return Array.from({ length: raw.length }, (_, index) => index);
}

/** `count` sets of cuts from a seeded generator (mulberry32), so that a failure can be repeated. */
export function seededCuts(length: number, seed: number): readonly number[] {
  let state = seed;
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const cuts: number[] = [];
  for (let at = 0; at < length; at += 1 + Math.floor(random() * 40)) cuts.push(at);
  return cuts;
}
