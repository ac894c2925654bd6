import assert from "node:assert/strict";
import test from "node:test";
import { answerCommand } from "../../../src/emperor/command-answers.ts";
import { newLife } from "../../../src/emperor/vassal-life.ts";

const LIFE = newLife("blog", { nextGeneration: 1, stopMark: false });

test("answerCommand() refuses to reload what is stopped, and names the command that helps", () => {
  const { event, message } = answerCommand("reload", { ...LIFE, phase: "stopped" });
  assert.equal(event, undefined);
  assert.match(message, /tsgi-emperor start blog/);
});

test("answerCommand() refuses to start what has no usable file, with the reason", () => {
  const { event, message } = answerCommand("start", {
    ...LIFE,
    problem: { hash: "x", reason: "blog.yaml:1:1: bad" },
  });
  assert.equal(event, undefined);
  assert.match(message, /blog\.yaml:1:1: bad/);
});

test("answerCommand() turns the rest into events", () => {
  assert.deepEqual(answerCommand("reload", { ...LIFE, phase: "serving" }).event, {
    type: "reloadAsked",
  });
  assert.deepEqual(answerCommand("start", { ...LIFE, phase: "stopped" }).event, {
    type: "startAsked",
  });
  assert.deepEqual(answerCommand("stop", { ...LIFE, phase: "throttled" }).event, {
    type: "stopAsked",
  });
  assert.deepEqual(answerCommand("pardon", { ...LIFE, phase: "throttled" }).event, {
    type: "pardonAsked",
  });
});
