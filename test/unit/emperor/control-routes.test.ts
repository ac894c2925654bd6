/** Calls of the control socket without a socket. */
import assert from "node:assert/strict";
import test from "node:test";
import { answerCall } from "../../../src/emperor/control-routes.ts";
import { FakeControl } from "../../kit/fake-control.ts";

for (const path of ["/status", "/metrics"]) {
  test(`${path} shows what the vassals count at the time of the call`, async () => {
    const control = new FakeControl();
    const snapshot = control.snapshot.bind(control);
    control.snapshot = () => {
      assert.equal(control.refreshed, 1, "asked before it is shown");
      return snapshot();
    };
    const reply = await answerCall("GET", path, {
      control,
      query: new URLSearchParams(),
      by: { pid: 1, uid: 0 },
      trusted: true,
      signal: new AbortController().signal,
      shutdown: () => Promise.resolve(),
    });
    assert.equal(reply.status, 200);
    assert.equal(control.refreshed, 1);
  });
}
