/** Every phase with every event, and the promises of the contract one by one. */
import assert from "node:assert/strict";
import test from "node:test";
import { BACKOFF_CAP_MS } from "../../../src/emperor/backoff-policy.ts";
import { nextDeadlineMs, STALE_CANDIDATE_MS } from "../../../src/emperor/deadline-machine.ts";
import { addressesInUse } from "../../../src/emperor/generation-machine.ts";
import { RELEASE_TIMEOUT_MS } from "../../../src/emperor/take-over-machine.ts";
import { EVENT_TYPES, PHASES, newLife } from "../../../src/emperor/vassal-life.ts";
import type {
  Phase,
  VassalCommand,
  VassalEvent,
  VassalLife,
} from "../../../src/emperor/vassal-life.ts";
import { step } from "../../../src/emperor/vassal-machine.ts";
import { sampleConfig, tcp } from "../../kit/vassal-config.ts";
import { checkShape } from "./vassal-simulation.ts";

const CONFIG = sampleConfig();

function seen(
  hash = "h1",
  trigger: "created" | "changed" | "touched" = "created",
  config = CONFIG,
): VassalEvent {
  return { type: "fileSeen", hash, config, trigger };
}

/** A life with its commands so far and a clock. */
class Story {
  life: VassalLife;
  nowMs = 1000;
  random = 0.5;
  commands: VassalCommand[] = [];

  constructor(life: VassalLife = newLife("blog", { nextGeneration: 1, stopMark: false })) {
    this.life = life;
  }

  on(event: VassalEvent, atMs = this.nowMs): this {
    this.nowMs = atMs;
    const next = step(this.life, event, { nowMs: atMs, wallMs: atMs, random: this.random });
    this.life = next.life;
    this.commands = [...next.commands];
    return this;
  }

  boot(generation: number): this {
    return this.on({ type: "slotGranted", generation }).on({
      type: "spawned",
      generation,
      pid: 100 + generation,
    });
  }

  accept(generation: number): this {
    return this.boot(generation)
      .on({ type: "readyReported", generation })
      .on({ type: "acceptingReported", generation });
  }

  /** Accepts, and the one before it releases. */
  serve(generation: number): this {
    this.accept(generation);
    const commands = [...this.commands];
    if (this.life.phase !== "takingOver") return this;
    const old = this.life.leaving.find((one) => one.replacedBy === generation)?.number ?? 0;
    this.on({ type: "releasedReported", generation: old });
    this.commands = [...commands, ...this.commands];
    return this;
  }

  types(): readonly string[] {
    return this.commands.map(({ type }) => type);
  }

  find<T extends VassalCommand["type"]>(type: T): Extract<VassalCommand, { type: T }> | undefined {
    return this.commands.find(
      (command): command is Extract<VassalCommand, { type: T }> => command.type === type,
    );
  }
}

function serving(): Story {
  return new Story().on(seen()).serve(1);
}

/** One life for each phase, made the way it comes about. */
const SAMPLES: Readonly<Record<Phase, () => Story>> = {
  stopped: () => new Story(newLife("blog", { nextGeneration: 1, stopMark: true })).on(seen()),
  invalid: () => new Story().on({ type: "fileInvalid", hash: "x", reason: "bad", lines: [] }),
  starting: () => new Story().on(seen()).boot(1),
  serving,
  deploying: () => serving().on(seen("h2", "changed")).boot(2),
  takingOver: () => serving().on(seen("h2", "changed")).accept(2),
  throttled: () =>
    new Story().on(seen()).boot(1).on({ type: "exited", generation: 1, how: "exited with code 1" }),
  stopping: () => serving().on({ type: "stopAsked" }),
  gone: () =>
    serving()
      .on({ type: "fileRemoved" })
      .on({ type: "exited", generation: 1, how: "exited with code 0" }),
};

function sampleEvent(type: VassalEvent["type"], generation: number): VassalEvent {
  switch (type) {
    case "fileSeen":
      return seen("h9", "changed");
    case "fileInvalid":
      return { type, hash: "bad", reason: "bad", lines: [] };
    case "spawned":
      return { type, generation, pid: 77 };
    case "spawnFailed":
    case "failedReported":
    case "linkBroken":
      return { type, generation, reason: "bad" };
    case "exited":
      return { type, generation, how: "exited with code 1" };
    case "slotGranted":
    case "readyReported":
    case "acceptingReported":
    case "loyalReported":
    case "releasedReported":
      return { type, generation };
    case "fileRemoved":
    case "reloadAsked":
    case "restartAsked":
    case "stopAsked":
    case "startAsked":
    case "pardonAsked":
    case "shutdownAsked":
    case "hurryAsked":
    case "deadlineReached":
      return { type };
  }
}

/** Where a person's or a file's event leads, in one table; events about processes are below. */
const NEXT: Readonly<Record<Phase, Partial<Record<VassalEvent["type"], Phase>>>> = {
  stopped: {
    startAsked: "starting",
    restartAsked: "starting",
    fileRemoved: "gone",
    shutdownAsked: "gone",
  },
  invalid: {
    fileSeen: "starting",
    stopAsked: "stopped",
    fileRemoved: "gone",
    shutdownAsked: "gone",
  },
  starting: {
    stopAsked: "stopping",
    restartAsked: "stopping",
    fileRemoved: "stopping",
    shutdownAsked: "stopping",
  },
  serving: {
    fileSeen: "deploying",
    reloadAsked: "deploying",
    stopAsked: "stopping",
    restartAsked: "stopping",
    fileRemoved: "stopping",
    shutdownAsked: "stopping",
  },
  deploying: {
    stopAsked: "stopping",
    restartAsked: "stopping",
    fileRemoved: "stopping",
    shutdownAsked: "stopping",
  },
  takingOver: {
    stopAsked: "stopping",
    restartAsked: "stopping",
    fileRemoved: "stopping",
    shutdownAsked: "stopping",
  },
  throttled: {
    fileSeen: "starting",
    reloadAsked: "starting",
    restartAsked: "starting",
    startAsked: "starting",
    pardonAsked: "starting",
    stopAsked: "stopping",
    fileRemoved: "stopping",
    shutdownAsked: "stopping",
  },
  stopping: { startAsked: "starting" },
  gone: {},
};

const ABOUT_PROCESSES = new Set<VassalEvent["type"]>([
  "slotGranted",
  "spawned",
  "spawnFailed",
  "readyReported",
  "acceptingReported",
  "loyalReported",
  "failedReported",
  "releasedReported",
  "linkBroken",
  "exited",
  "deadlineReached",
]);

test("step() has an answer for every phase and event, and keeps the shape of each phase", () => {
  for (const phase of PHASES) {
    for (const type of EVENT_TYPES) {
      for (const generation of [0, 1, 2, 3]) {
        const story = SAMPLES[phase]();
        assert.equal(story.life.phase, phase);
        story.on(sampleEvent(type, generation));
        const say = (what: string): string =>
          `${phase} with ${type} of generation ${generation}: ${what}`;
        checkShape(story.life, say);
        if (ABOUT_PROCESSES.has(type)) continue;
        assert.equal(story.life.phase, NEXT[phase][type] ?? phase, say("the next phase"));
      }
    }
  }
});

test("step() ignores events of generations that it does not know", () => {
  for (const phase of PHASES) {
    for (const type of ABOUT_PROCESSES) {
      if (type === "deadlineReached") continue;
      const story = SAMPLES[phase]();
      const before = story.life;
      story.on(sampleEvent(type, 99));
      assert.deepEqual(story.life, before, `${phase} with ${type}`);
    }
  }
});

test("step() deploys in the order of the contract: spawn beside, serve, accepting, then drain", () => {
  const story = serving().on(seen("h2", "changed"));
  assert.deepEqual(story.commands, [{ type: "askSlot", generation: 2, lane: "urgent" }]);
  story.on({ type: "slotGranted", generation: 2 });
  assert.equal(story.find("spawn")?.generation.number, 2);
  story.on({ type: "spawned", generation: 2, pid: 102 });
  story.on({ type: "readyReported", generation: 2 });
  assert.deepEqual(story.types(), ["releaseSlot", "tellServe"]);
  assert.equal(story.life.current?.number, 1, "the old one serves until the new one accepts");
  story.on({ type: "acceptingReported", generation: 2 });
  assert.equal(story.life.current?.number, 2);
  assert.deepEqual(story.find("tellDrain"), {
    type: "tellDrain",
    generation: 1,
    timeoutMs: CONFIG.drainTimeoutMs,
  });
  assert.equal(story.find("writeReceipt"), undefined, "both accept: nobody is told yet");
  story.on({ type: "releasedReported", generation: 1 }, story.nowMs + 7);
  assert.equal(story.life.phase, "serving");
  assert.equal(story.find("writeReceipt")?.outcome, "live");
  assert.deepEqual(story.find("writeReceipt")?.generation.stamps, {
    seenAtMs: 1000,
    spawnedAtMs: 1000,
    readyAtMs: 1000,
    servingAtMs: 1000,
    oldReleasedAtMs: 1007,
  });
  story.on({ type: "exited", generation: 1, how: "exited with code 0" });
  assert.deepEqual(story.types(), ["signalGroup", "amendReceipt", "dropGeneration"]);
  assert.equal(story.life.restarts, 0, "a planned end is no death");
});

test("step() calls a generation live although the old one is silent, after a bounded time and with an event", () => {
  const story = SAMPLES.takingOver();
  const dueMs = nextDeadlineMs(story.life);
  assert.equal(dueMs, story.nowMs + RELEASE_TIMEOUT_MS);
  story.on({ type: "deadlineReached" }, dueMs);
  assert.equal(story.life.phase, "serving");
  assert.deepEqual(story.types(), ["journal", "writeReceipt", "journal"]);
  assert.equal(story.find("journal")?.kind, "not-released");
  assert.equal(story.find("writeReceipt")?.generation.stamps.oldReleasedAtMs, 0);
  story.on({ type: "releasedReported", generation: 1 });
  assert.deepEqual(story.commands, [{ type: "amendReceipt", by: 2, old: 1, step: "released" }]);
});

test("step() takes the death of the old generation for its release", () => {
  const story = SAMPLES.takingOver();
  story.on({ type: "exited", generation: 1, how: "was killed by SIGKILL" }, story.nowMs + 3);
  assert.equal(story.life.phase, "serving");
  assert.equal(story.find("writeReceipt")?.generation.stamps.oldReleasedAtMs, story.nowMs);
  assert.deepEqual(story.types(), [
    "writeReceipt",
    "journal",
    "signalGroup",
    "amendReceipt",
    "dropGeneration",
  ]);
});

test("step() waits in a take-over for every older generation that may accept, not only the last", () => {
  const story = SAMPLES.takingOver();
  story.on({ type: "deadlineReached" }, nextDeadlineMs(story.life));
  story.on(seen("h3", "changed")).accept(3).on({ type: "releasedReported", generation: 2 });
  assert.equal(story.life.phase, "takingOver");
  story.on({ type: "exited", generation: 1, how: "exited with code 0" });
  assert.equal(story.life.phase, "serving");
});

test("step() begins what was asked for during a take-over when it is done", () => {
  const story = SAMPLES.takingOver().on(seen("h3", "changed")).on(seen("h4", "changed"));
  assert.deepEqual(story.commands, []);
  story.on({ type: "releasedReported", generation: 1 });
  assert.equal(story.life.phase, "deploying");
  assert.equal(story.life.candidate?.desired.hash, "h4");
});

for (const [what, event, outcome] of [
  ["a stop", { type: "stopAsked" }, "superseded"],
  ["a removal", { type: "fileRemoved" }, "superseded"],
  ["its death", { type: "exited", generation: 2, how: "was killed by SIGKILL" }, "failed"],
  ["its own release", { type: "releasedReported", generation: 2 }, "failed"],
] as const satisfies readonly (readonly [string, VassalEvent, string])[]) {
  test(`step() never calls a generation live whose take-over was cut short by ${what}`, () => {
    const story = SAMPLES.takingOver().on(event);
    assert.equal(story.find("writeReceipt")?.generation.number, 2);
    assert.equal(story.find("writeReceipt")?.outcome, outcome);
    assert.ok(!story.commands.some((each) => each.type === "journal" && each.kind === "live"));
  });
}

test("step() begins the newest content at once when a generation dies during its take-over", () => {
  const story = SAMPLES.takingOver().on(seen("h3", "changed"));
  story.on({ type: "exited", generation: 2, how: "exited with code 1" });
  assert.equal(story.life.candidate?.desired.hash, "h3");
  assert.equal(story.life.candidate?.trigger, "changed");
  assert.equal(story.life.pending, undefined);
});

for (const [what, event] of [
  ["a failed message", { type: "failedReported", generation: 2, reason: "ImportError" }],
  ["an exit", { type: "exited", generation: 2, how: "exited with code 1" }],
  ["garbage on the channel", { type: "linkBroken", generation: 2, reason: "garbage" }],
  ["a failed spawn", { type: "spawnFailed", generation: 2, reason: "no python3" }],
] as const satisfies readonly (readonly [string, VassalEvent])[]) {
  test(`step() throws a candidate away after ${what} and the old generation serves on`, () => {
    const story = serving().on(seen("h2", "changed"));
    story.on({ type: "slotGranted", generation: 2 });
    if (event.type !== "spawnFailed") story.on({ type: "spawned", generation: 2, pid: 102 });
    story.on(event);
    assert.equal(story.life.phase, "serving");
    assert.equal(story.life.current?.number, 1);
    assert.equal(story.find("writeReceipt")?.outcome, "failed");
    assert.equal(story.life.lastFailure?.generation, 2);
    assert.ok(!story.types().includes("tellDrain"), "nobody drains");
  });
}

test("step() fails a candidate at its ready-timeout, with TERM and then KILL for its group", () => {
  const story = serving().on(seen("h2", "changed")).boot(2);
  const deadlineMs = nextDeadlineMs(story.life);
  assert.equal(deadlineMs, story.nowMs + CONFIG.readyTimeoutMs);
  story.on({ type: "deadlineReached" }, deadlineMs);
  assert.equal(story.life.phase, "serving");
  assert.deepEqual(story.find("signalGroup"), {
    type: "signalGroup",
    generation: 2,
    signal: "SIGTERM",
  });
  assert.match(story.find("writeReceipt")?.reason ?? "", /not ready within 1m/);
  story.on({ type: "deadlineReached" }, nextDeadlineMs(story.life));
  assert.deepEqual(story.find("signalGroup"), {
    type: "signalGroup",
    generation: 2,
    signal: "SIGKILL",
  });
});

test("step() keeps one deploy in flight and one pending, and the final content wins", () => {
  const story = serving().on(seen("h2", "changed")).boot(2);
  story.on(seen("h3", "changed")).on(seen("h4", "changed")).on(seen("h5", "changed"));
  assert.deepEqual(story.commands, []);
  story
    .on({ type: "readyReported", generation: 2 })
    .on({ type: "acceptingReported", generation: 2 })
    .on({ type: "releasedReported", generation: 1 });
  assert.equal(story.life.candidate?.number, 3);
  assert.equal(story.life.candidate?.desired.hash, "h5");
  story.serve(3);
  assert.equal(story.life.phase, "serving");
  assert.equal(story.life.current?.desired.hash, "h5");
});

test("step() does not let an outdated candidate hold up a correction for longer than a few seconds", () => {
  const story = serving().on(seen("broken", "changed")).boot(2);
  story.on(seen("fixed", "changed"));
  assert.equal(nextDeadlineMs(story.life), story.nowMs + STALE_CANDIDATE_MS);
  story.on({ type: "deadlineReached" }, nextDeadlineMs(story.life));
  assert.equal(story.find("writeReceipt")?.outcome, "superseded");
  assert.equal(story.life.candidate?.desired.hash, "fixed");
  assert.equal(story.life.current?.number, 1);
});

test("step() starts a dead serving generation again at once the first time, then backs off", () => {
  const story = serving().on({ type: "exited", generation: 1, how: "was killed by SIGKILL" }, 5000);
  assert.equal(story.life.phase, "starting");
  assert.equal(story.life.restarts, 1);
  assert.deepEqual(story.find("signalGroup"), {
    type: "signalGroup",
    generation: 1,
    signal: "SIGTERM",
  });
  story.serve(2).on({ type: "exited", generation: 2, how: "was killed by SIGKILL" });
  assert.equal(story.life.phase, "throttled");
  assert.match(
    story.commands.map((command) => ("message" in command ? command.message : "")).join(),
    /backing off, try 3, next in 2s, because generation 2 was killed by SIGKILL/,
  );
});

test("step() lets a backoff grow to its cap for a vassal that dies every 30 seconds", () => {
  const story = serving();
  const delays: number[] = [];
  for (let generation = 1; generation < 12; generation += 1) {
    story.on({ type: "exited", generation, how: "exited with code 1" }, story.nowMs + 30_000);
    const waitMs = story.life.phase === "throttled" ? story.life.backoff.untilMs - story.nowMs : 0;
    delays.push(waitMs);
    if (waitMs > 0) story.on({ type: "deadlineReached" }, story.life.backoff.untilMs);
    story.serve(generation + 1);
  }
  assert.deepEqual(
    delays,
    [0, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000, 60_000, 60_000],
  );
  assert.equal(delays.at(-1), BACKOFF_CAP_MS);
});

test("step() forgets failures after a stable time only", () => {
  const story = SAMPLES.throttled();
  story.on({ type: "deadlineReached" }, story.life.backoff.untilMs).serve(2);
  assert.equal(story.life.backoff.failures, 1);
  const forgetMs = nextDeadlineMs(story.life) ?? 0;
  assert.ok(forgetMs - story.nowMs >= 60_000);
  story.on({ type: "deadlineReached" }, forgetMs);
  assert.equal(story.life.backoff.failures, 0);
  assert.equal(nextDeadlineMs(story.life), undefined, "nothing is left to wait for");
});

test("step() does not deploy an invalid file and keeps serving, with a failed receipt for whoever waits", () => {
  const story = serving().on({
    type: "fileInvalid",
    hash: "h2",
    reason: "blog.yaml:1:1: bad",
    lines: ["a", "b"],
  });
  assert.equal(story.life.phase, "serving");
  assert.deepEqual(story.types(), ["writeRefusal", "journal"]);
  assert.deepEqual(story.find("writeRefusal")?.lines, ["a", "b"]);
  assert.equal(story.life.problem?.reason, "blog.yaml:1:1: bad");
  story.on(seen("h3", "changed"));
  assert.equal(story.life.problem, undefined);
});

test("step() remembers a stop, and a change of the file does not undo it", () => {
  const story = serving().on({ type: "stopAsked" });
  assert.deepEqual(story.find("persistStopMark"), { type: "persistStopMark", stopped: true });
  story.on({ type: "exited", generation: 1, how: "exited with code 0" });
  assert.equal(story.life.phase, "stopped");
  story.on(seen("h2", "changed"));
  assert.equal(story.life.phase, "stopped");
  story.on({ type: "startAsked" });
  assert.deepEqual(story.find("persistStopMark"), { type: "persistStopMark", stopped: false });
  assert.equal(story.life.candidate?.desired.hash, "h2");
});

test("step() escalates a stop: drain, SIGTERM after the drain-timeout, then SIGKILL again and again", () => {
  const story = serving().on({ type: "fileRemoved" });
  assert.deepEqual(story.find("tellDrain"), {
    type: "tellDrain",
    generation: 1,
    timeoutMs: 30_000,
  });
  const signals: string[] = [];
  for (let count = 0; count < 3; count += 1) {
    story.on({ type: "deadlineReached" }, nextDeadlineMs(story.life));
    signals.push(story.find("signalGroup")?.signal ?? "");
  }
  assert.deepEqual(signals, ["SIGTERM", "SIGKILL", "SIGKILL"]);
  story.on({ type: "exited", generation: 1, how: "was killed by SIGKILL" });
  assert.equal(story.life.phase, "gone");
  assert.ok(story.types().includes("forget"));
});

test("step() restarts hard: the old one is ended before the new one begins, its sockets stay", () => {
  const story = serving().on({ type: "restartAsked" });
  assert.deepEqual(story.find("signalGroup"), {
    type: "signalGroup",
    generation: 1,
    signal: "SIGTERM",
  });
  assert.equal(story.life.phase, "stopping");
  assert.deepEqual(addressesInUse(story.life), ["http://127.0.0.1:8001"]);
  story.on({ type: "exited", generation: 1, how: "exited with code 0" });
  assert.equal(story.life.candidate?.trigger, "restart");
});

test("step() hurries a shutdown: SIGKILL comes after a second", () => {
  const story = serving().on({ type: "shutdownAsked" });
  story.on({ type: "hurryAsked" });
  assert.deepEqual(story.find("signalGroup"), {
    type: "signalGroup",
    generation: 1,
    signal: "SIGTERM",
  });
  assert.equal(nextDeadlineMs(story.life), story.nowMs + 1000);
  story.on({ type: "deadlineReached" }, nextDeadlineMs(story.life));
  assert.deepEqual(story.find("signalGroup"), {
    type: "signalGroup",
    generation: 1,
    signal: "SIGKILL",
  });
});

test("step() ends a process that is born after it was given up", () => {
  const story = new Story().on(seen()).on({ type: "slotGranted", generation: 1 });
  story.on({ type: "fileRemoved" });
  assert.equal(story.life.phase, "stopping");
  story.on({ type: "spawned", generation: 1, pid: 101 });
  assert.deepEqual(story.find("signalGroup"), {
    type: "signalGroup",
    generation: 1,
    signal: "SIGTERM",
  });
  story.on({ type: "exited", generation: 1, how: "was killed by SIGTERM" });
  assert.equal(story.life.phase, "gone");
});

test("step() replaces a generation that stops accepting by itself while it finishes", () => {
  const story = serving().on({ type: "releasedReported", generation: 1 });
  assert.equal(story.life.phase, "starting");
  assert.equal(story.life.leaving[0]?.number, 1);
  assert.equal(story.find("askSlot")?.generation, 2);
});

test("addressesInUse() keeps old addresses until the old generation has released them", () => {
  const moved = sampleConfig({ listen: [tcp(9001)] });
  const story = serving()
    .on(seen("h2", "changed", moved))
    .accept(2);
  assert.deepEqual(addressesInUse(story.life), ["http://127.0.0.1:9001", "http://127.0.0.1:8001"]);
  story.on({ type: "releasedReported", generation: 1 });
  assert.deepEqual(addressesInUse(story.life), ["http://127.0.0.1:9001"]);
});

test("step() goes on with a removed vassal at once when its file comes back", () => {
  const story = serving().on({ type: "fileRemoved" }).on(seen("h2", "changed"));
  assert.equal(story.life.phase, "starting");
  assert.equal(story.life.leaving.length, 1, "the old one finishes beside it");
});

test("nextDeadlineMs() wakes a vassal at the end of its backoff", () => {
  const story = SAMPLES.throttled();
  assert.equal(nextDeadlineMs(story.life), story.nowMs + 1000, "the rest of the dead group");
  story.on({ type: "deadlineReached" }, nextDeadlineMs(story.life));
  const again = SAMPLES.throttled();
  again.life = { ...again.life, leaving: [] };
  assert.equal(nextDeadlineMs(again.life), again.life.backoff.untilMs);
});

test("step() goes on at once with a correction that came while a first candidate failed", () => {
  const story = new Story().on(seen("broken")).boot(1).on(seen("fixed", "changed"));
  story.on({ type: "failedReported", generation: 1, reason: "ImportError" });
  assert.equal(story.life.phase, "starting");
  assert.equal(story.life.candidate?.desired.hash, "fixed");
  assert.equal(story.life.pending, undefined);
});
