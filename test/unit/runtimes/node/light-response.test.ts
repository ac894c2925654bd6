import assert from "node:assert/strict";
import { test } from "node:test";
import { createResponseClasses } from "../../../../src/runtimes/node/light-response.ts";

const { Response: Light, lightBody } = createResponseClasses(Response);

test("a light Response stays light for text, bytes and null", () => {
  assert.deepEqual(lightBody(new Light("x")), {
    status: 200,
    headers: ["content-type", "text/plain;charset=UTF-8"],
    body: "x",
  });
  assert.deepEqual(lightBody(new Light(null, { status: 404 })), {
    status: 404,
    headers: [],
    body: null,
  });
  const json = lightBody(Light.json({ a: 1 }, { status: 201, headers: { "X-A": "b" } }));
  assert.deepEqual(json, {
    status: 201,
    headers: ["X-A", "b", "content-type", "application/json"],
    body: '{"a":1}',
  });
});

test("a light Response is one to instanceof, to its own subclass, and for everything a native one can", async () => {
  const response = new Light("text", { headers: [["x-a", "1"]] });
  assert.ok(response instanceof Response);
  assert.ok(new Response("") instanceof Light);
  class Own extends Light {}
  assert.ok(new Own("") instanceof Own);
  assert.equal(new Light("") instanceof Own, false);
  assert.equal(response.headers.get("X-A"), "1");
  assert.equal(response.headers.get("content-type"), "text/plain;charset=UTF-8");
  assert.equal(await response.clone().text(), "text");
  assert.equal(response.bodyUsed, false);
  assert.equal(await response.text(), "text");
  assert.equal(response.bodyUsed, true);
  assert.equal(lightBody(response), undefined);
});

test("headers changed after construction are what is sent", () => {
  const response = new Light("x");
  response.headers.append("set-cookie", "a=1");
  const { headers } = lightBody(response) ?? {};
  assert.deepEqual(headers instanceof Headers && headers.getSetCookie(), ["a=1"]);
  const copied = new Headers({ "x-a": "1" });
  const other = new Light("x", { headers: copied });
  copied.set("x-a", "2");
  assert.equal(other.headers.get("x-a"), "1");
});

test("a light Response refuses what a native one refuses", () => {
  assert.throws(() => new Light("x", { status: 99 }), RangeError);
  assert.throws(() => new Light("x", { status: 204 }), TypeError);
  assert.throws(() => Light.json(undefined), TypeError);
});

test("streams, blobs and forms are native from the start", async () => {
  const response = new Light(new Blob(["b"], { type: "text/x" }));
  assert.equal(lightBody(response), undefined);
  assert.equal(response.headers.get("content-type"), "text/x");
  assert.equal(await response.text(), "b");
});
