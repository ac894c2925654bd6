import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_TRAFFIC } from "../../../../src/ipc/link.ts";
import { sumCounters } from "../../../../src/runtimes/node/counters.ts";
import { askedPort } from "../../../../src/runtimes/node/listen-hook.ts";
import { ofApplication } from "../../../../src/runtimes/node/stuck-thread.ts";

test("ofApplication() drops the frames that brought the request to the application", () => {
  const frames = [
    "    at readFileSync (node:fs:1:1)",
    "    at handler (file:///app/main.mjs:2:2)",
    "    at run (/opt/tsgi/dist/node-worker.cjs:3:3)",
    "    at emit (node:events:4:4)",
  ];
  assert.deepEqual(ofApplication(frames, "/opt/tsgi/dist/node-worker.cjs"), frames.slice(0, 2));
  assert.deepEqual(
    ofApplication(frames.slice(2), "/opt/tsgi/dist/node-worker.cjs"),
    frames.slice(2),
  );
});

test("sumCounters() adds every counter", () => {
  const one = { ...NO_TRAFFIC, requestsServed: 2, connectionsOpen: 1 };
  assert.deepEqual(sumCounters([one, one]), {
    ...NO_TRAFFIC,
    requestsServed: 4,
    connectionsOpen: 2,
  });
  assert.deepEqual(sumCounters([]), NO_TRAFFIC);
});

test("askedPort() reads every form of listen()", () => {
  const callback = (): void => undefined;
  assert.equal(askedPort([3000, callback]), "3000");
  assert.equal(askedPort(["3000", "localhost"]), "3000");
  assert.equal(askedPort([{ port: 3000, host: "::1" }]), "3000");
  assert.equal(askedPort([{ path: "/run/x.sock" }]), "/run/x.sock");
  assert.equal(askedPort([callback]), undefined);
  assert.equal(askedPort([]), undefined);
});
