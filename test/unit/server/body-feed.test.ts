import assert from "node:assert/strict";
import { test } from "node:test";
import { BodyFeed } from "../../../src/server/body-feed.ts";
import type { BodySink } from "../../../src/server/exchange.ts";

/** A sink that writes down what it hears; full after every chunk. */
function recorder(): { readonly sink: BodySink; readonly heard: string[] } {
  const heard: string[] = [];
  const sink: BodySink = {
    data: (chunk) => {
      heard.push(chunk.toString());
      return false;
    },
    end: (trailers) => heard.push(`end ${trailers.join()}`),
    abort: (reason) => heard.push(`abort ${reason}`),
  };
  return { sink, heard };
}

test("BodyFeed flows from attach on, stops when the sink is full, and goes on when resumed", () => {
  const feed = new BodyFeed();
  assert.equal(feed.isFlowing, false);
  const { sink, heard } = recorder();
  feed.attach(sink);
  assert.equal(feed.isFlowing, true);
  feed.data(Buffer.from("abc"));
  assert.equal(feed.isFlowing, false);
  assert.equal(feed.resume(), true);
  assert.equal(feed.resume(), false);
  assert.deepEqual(heard, ["abc"]);
  assert.equal(feed.receivedBytes, 3);
  assert.throws(() => feed.attach(sink), TypeError);
});

test("BodyFeed tells one end only, and a late resume sets nothing going", () => {
  const ended = recorder();
  const feed = new BodyFeed();
  feed.attach(ended.sink);
  feed.data(Buffer.from("x"));
  feed.end(["T", "v"]);
  feed.abort("late");
  assert.equal(feed.resume(), false);
  assert.deepEqual(ended.heard, ["x", "end T,v"]);
  const aborted = recorder();
  const other = new BodyFeed();
  other.attach(aborted.sink);
  other.abort("first");
  other.abort("second");
  assert.deepEqual(aborted.heard, ["abort first"]);
  assert.equal(other.isComplete, false);
});
