/** A world of one vassal with virtual time: processes, files and people act at random, the machine answers, invariants hold. */
import assert from "node:assert/strict";
import type { VassalCommand, VassalEvent, VassalLife } from "../../../src/emperor/vassal-life.ts";
import { nextDeadlineMs } from "../../../src/emperor/deadline-machine.ts";
import { addressesInUse, generationsOf } from "../../../src/emperor/generation-machine.ts";
import { RELEASE_TIMEOUT_MS } from "../../../src/emperor/take-over-machine.ts";
import { newLife } from "../../../src/emperor/vassal-life.ts";
import { step } from "../../../src/emperor/vassal-machine.ts";
import { sampleConfig, seededRandom, tcp } from "../../kit/vassal-config.ts";

interface Process {
  readonly generation: number;
  /** What it does next, in virtual time; undefined = hangs. */
  nextMs: number | undefined;
  state: "loading" | "ready" | "accepting" | "draining";
  readonly fate: "good" | "fails" | "exits" | "hangs";
  readonly stubborn: boolean;
}

export class VassalSimulation {
  readonly random: () => number;
  life: VassalLife;
  nowMs = 1000;
  readonly processes = new Map<number, Process>();
  readonly slots = new Set<number>();
  /** Everything that happened, for the message of a failure. */
  readonly story: string[] = [];
  /** Set when the world behaves from now on. */
  calm = false;
  spawns = 0;
  /** Outcome of each generation that has one. */
  readonly receipts = new Map<number, string>();
  #later: { readonly atMs: number; readonly event: VassalEvent }[] = [];
  #content = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.life = newLife("blog", { nextGeneration: 1, stopMark: false });
    this.send(this.#fileSeen("created"));
  }

  /** One random thing. */
  chaos(): void {
    const draw = this.random();
    if (draw < 0.12) this.send(this.#fileSeen("changed"));
    else if (draw < 0.18) this.send({ ...this.#fileSeen("touched") });
    else if (draw < 0.22)
      this.send({ type: "fileInvalid", hash: `bad${this.#content}`, reason: "bad", lines: [] });
    else if (draw < 0.223) this.send({ type: "fileRemoved" });
    else if (draw < 0.4) this.send({ type: pick(this.random, COMMANDS) });
    else if (draw < 0.5) this.#killSomebody();
    else this.advance(this.random() * pick(this.random, [10, 500, 5000, 70_000]));
  }

  /** Lets virtual time pass, event by event. */
  advance(durationMs: number): void {
    const endMs = this.nowMs + durationMs;
    for (let turns = 0; ; turns += 1) {
      assert.ok(turns < 10_000, `time does not move on\n${this.tail()}`);
      const nextMs = Math.min(
        nextDeadlineMs(this.life) ?? Infinity,
        ...[...this.processes.values()].map((each) => each.nextMs ?? Infinity),
        ...this.#later.map((each) => each.atMs),
      );
      if (nextMs > endMs) break;
      this.nowMs = Math.max(this.nowMs, nextMs);
      this.#act();
    }
    this.nowMs = endMs;
  }

  send(event: VassalEvent): void {
    const before = this.life;
    const context = { nowMs: this.nowMs, wallMs: this.nowMs, random: this.random() };
    const { life, commands } = step(before, event, context);
    this.life = life;
    this.story.push(
      `${Math.round(this.nowMs)} ${before.phase} ${JSON.stringify(event, (key, value: unknown) => (key === "config" ? undefined : value))} -> ${life.phase} [${commands.map(({ type }) => type).join(" ")}]`,
    );
    for (const command of commands) this.#execute(command);
    this.#check(before, event);
  }

  tail(): string {
    return this.story.slice(-40).join("\n");
  }

  #fileSeen(
    trigger: "created" | "changed" | "touched",
  ): Extract<VassalEvent, { type: "fileSeen" }> {
    if (trigger !== "touched") this.#content += 1;
    const config = sampleConfig({
      listen: [tcp(8000 + (this.#content % 3))],
      readyTimeoutMs: 20_000,
      drainTimeoutMs: 5000,
    });
    return { type: "fileSeen", hash: `h${this.#content}`, config, trigger };
  }

  #execute(command: VassalCommand): void {
    switch (command.type) {
      case "askSlot":
        assert.ok(!this.slots.has(command.generation), "a slot is asked for once");
        this.slots.add(command.generation);
        this.#later.push({
          atMs: this.nowMs + this.random() * 50,
          event: { type: "slotGranted", generation: command.generation },
        });
        return;
      case "releaseSlot":
        this.slots.delete(command.generation);
        this.#later = this.#later.filter(
          ({ event }) => !(event.type === "slotGranted" && event.generation === command.generation),
        );
        return;
      case "spawn":
        this.#spawn(command.generation.number);
        return;
      case "tellServe":
        this.#meet(command.generation, (process) => {
          if (process.state === "ready") process.nextMs = this.nowMs + 5;
        });
        return;
      case "tellDrain":
        this.#meet(command.generation, (process) => {
          process.state = "draining";
          process.nextMs =
            process.stubborn && !this.calm ? undefined : this.nowMs + 1 + this.random() * 6000;
          const event = { type: "releasedReported", generation: command.generation } as const;
          const silent = process.stubborn && !this.calm;
          if (!silent) this.#later.push({ atMs: this.nowMs + this.random() * 4000, event });
        });
        return;
      case "signalGroup":
        this.#meet(command.generation, (process) => {
          if (command.signal === "SIGKILL" || !process.stubborn) this.#exitLater(process, 3);
        });
        return;
      case "dropGeneration":
        assert.ok(
          !this.processes.has(command.generation),
          `generation ${command.generation} is dropped alive\n${this.tail()}`,
        );
        return;
      case "writeReceipt":
        this.#keepReceipt(command);
        return;
      case "amendReceipt":
      case "forget":
      case "journal":
      case "persistStopMark":
      case "recordServing":
      case "tellStop":
      case "writeRefusal":
        return;
    }
  }

  /** Each generation gets one result; "live" means that nothing older accepts, or was waited for. */
  #keepReceipt({
    generation: { number, servingMs },
    outcome,
  }: Extract<VassalCommand, { type: "writeReceipt" }>): void {
    assert.ok(!this.receipts.has(number), `two receipts for generation ${number}\n${this.tail()}`);
    this.receipts.set(number, outcome);
    if (outcome !== "live") return;
    const older = this.life.leaving.filter((one) => one.servingMs > 0);
    assert.ok(
      this.nowMs - servingMs >= RELEASE_TIMEOUT_MS ||
        older.every(({ released, exited }) => released || exited),
      `generation ${number} is called live too early\n${this.tail()}`,
    );
  }

  get isGone(): boolean {
    return this.life.phase === "gone";
  }

  #spawn(generation: number): void {
    this.spawns += 1;
    const fails = !this.calm && this.random() < 0.1;
    const atMs = this.nowMs + 2;
    if (fails) {
      this.#later.push({ atMs, event: { type: "spawnFailed", generation, reason: "no rights" } });
      return;
    }
    this.#later.push({ atMs, event: { type: "spawned", generation, pid: 1000 + generation } });
  }

  #born(generation: number): void {
    const fate = this.calm
      ? "good"
      : pick(this.random, ["good", "good", "good", "fails", "exits", "hangs"] as const);
    this.processes.set(generation, {
      generation,
      nextMs: fate === "hangs" ? undefined : this.nowMs + 10 + this.random() * 3000,
      state: "loading",
      fate,
      stubborn: this.random() < 0.2,
    });
  }

  #meet(generation: number, visit: (process: Process) => void): void {
    const process = this.processes.get(generation);
    if (process !== undefined) visit(process);
  }

  #exitLater(process: Process, delayMs: number): void {
    this.processes.delete(process.generation);
    this.#later.push({
      atMs: this.nowMs + delayMs,
      event: { type: "exited", generation: process.generation, how: "ended" },
    });
  }

  #killSomebody(): void {
    const victim = pick(this.random, [...this.processes.values()]);
    if (victim !== undefined) this.#exitLater(victim, 0);
  }

  /** Whatever is due now. */
  #act(): void {
    const due = this.#later.filter(({ atMs }) => atMs <= this.nowMs);
    this.#later = this.#later.filter(({ atMs }) => atMs > this.nowMs);
    for (const { event } of due) {
      if (event.type === "spawned") this.#born(event.generation);
      this.send(event);
    }
    for (const process of this.processes.values()) {
      if (process.nextMs !== undefined && process.nextMs <= this.nowMs) this.#live(process);
    }
    const deadlineMs = nextDeadlineMs(this.life);
    if (deadlineMs !== undefined && deadlineMs <= this.nowMs)
      this.send({ type: "deadlineReached" });
  }

  #live(process: Process): void {
    const { generation } = process;
    process.nextMs = undefined;
    if (process.state === "draining") {
      this.#exitLater(process, 0);
    } else if (process.state === "ready") {
      process.state = "accepting";
      this.send({ type: "acceptingReported", generation });
    } else if (process.fate === "good") {
      process.state = "ready";
      this.send({ type: "readyReported", generation });
    } else if (process.fate === "fails") {
      this.send({ type: "failedReported", generation, reason: "import error" });
    } else {
      this.#exitLater(process, 0);
    }
  }

  #check(before: VassalLife, event: VassalEvent): void {
    const { life } = this;
    const say = (what: string): string => `${what}\n${this.tail()}`;
    checkShape(life, say);
    const numbers = generationsOf(life).map(({ number }) => number);
    assert.equal(new Set(numbers).size, numbers.length, say("a generation is in one place only"));
    assert.ok(
      numbers.every((number) => number < life.nextGeneration),
      say("numbers only grow"),
    );
    for (const generation of this.processes.keys()) {
      assert.ok(
        numbers.includes(generation),
        say(`generation ${generation} runs and nobody knows it`),
      );
    }
    if (life.current !== undefined && !life.current.released) {
      const inUse = addressesInUse(life);
      for (const { text } of life.current.desired.config.listen) {
        assert.ok(inUse.includes(text), say("the sockets of the serving generation stay open"));
      }
    }
    checkServiceKept(before, life, event, say);
  }
}

const COMMANDS = [
  "reloadAsked",
  "restartAsked",
  "stopAsked",
  "startAsked",
  "startAsked",
  "pardonAsked",
] as const;

/** What each phase promises about the generations. */
export function checkShape(life: VassalLife, say: (what: string) => string): void {
  const has = { current: life.current !== undefined, candidate: life.candidate !== undefined };
  const wanted = {
    stopped: { current: false, candidate: false },
    invalid: { current: false, candidate: false },
    starting: { current: false, candidate: true },
    serving: { current: true, candidate: false },
    deploying: { current: true, candidate: true },
    takingOver: { current: true, candidate: false },
    throttled: { current: false, candidate: false },
    stopping: { current: false, candidate: false },
    gone: { current: false, candidate: false },
  }[life.phase];
  assert.deepEqual(has, wanted, say(`the shape of phase ${life.phase}`));
  if (life.phase === "stopped" || life.phase === "gone" || life.phase === "invalid") {
    assert.equal(life.leaving.length, 0, say(`nothing runs in phase ${life.phase}`));
  }
  if (life.phase === "stopping")
    assert.ok(life.leaving.length > 0, say("stopping waits for somebody"));
  if (life.phase === "takingOver") {
    const open = life.leaving.filter((one) => one.servingMs > 0 && !one.released && !one.exited);
    assert.ok(open.length > 0, say("a take-over waits for somebody"));
  }
  if (life.phase === "stopped") assert.ok(life.stopMark, say("stopped is marked"));
}

/** A serving generation goes only by its own death, by a stop, or when another one accepts. */
function checkServiceKept(
  before: VassalLife,
  after: VassalLife,
  event: VassalEvent,
  say: (what: string) => string,
): void {
  const was = before.current;
  if (was === undefined || after.current?.number === was.number) return;
  const isMine = "generation" in event && event.generation === was.number;
  const mayEnd =
    (isMine && (event.type === "exited" || event.type === "releasedReported")) ||
    ["stopAsked", "restartAsked", "fileRemoved", "shutdownAsked"].includes(event.type);
  const replaced = event.type === "acceptingReported" && after.current !== undefined;
  assert.ok(mayEnd || replaced, say(`generation ${was.number} stopped serving without a reason`));
}

function pick<T>(random: () => number, from: readonly [T, ...T[]]): T;
function pick<T>(random: () => number, from: readonly T[]): T | undefined;
function pick<T>(random: () => number, from: readonly T[]): T | undefined {
  return from[Math.floor(random() * from.length)];
}
