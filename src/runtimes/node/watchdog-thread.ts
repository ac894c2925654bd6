/** The watchdog thread of a worker: notices a blocked event loop, says where it stands, answers for it. */
import { parentPort } from "node:worker_threads";
import { sendNow } from "./channel.ts";
import { speak } from "./last-words.ts";
import { readStuckThread } from "./stuck-thread.ts";
import { monotonicMs, WatchdogMemory, type WatchdogData } from "./watchdog-memory.ts";
import { isStuck } from "./watchdog-policy.ts";

/** A worker that nobody has ended by then ends itself. */
const KILL_AFTER_MS = 30_000;
const SECOND_LOOK_MS = 50;

export function runWatchdog(data: WatchdogData): void {
  // Something must hold this thread's loop while it waits for the main thread to have work.
  parentPort?.on("message", () => undefined);
  void watch(new WatchdogMemory(data.memory), data);
}

async function watch(memory: WatchdogMemory, data: WatchdogData): Promise<void> {
  const checkMs = Math.max(20, Math.min(250, Math.round(data.deadlineMs / 10)));
  for (;;) {
    if (!memory.active) await memory.whenActive();
    await pause(checkMs);
    if (!seemsStuck(memory, data)) continue;
    // A process that was stopped (SIGSTOP, suspend) looks the same at first: its main thread gets a chance to run.
    await pause(SECOND_LOOK_MS);
    if (seemsStuck(memory, data)) break;
  }
  await act(memory, data);
}

function seemsStuck(memory: WatchdogMemory, data: WatchdogData): boolean {
  return memory.active && isStuck(memory.read(), data.deadlineMs, monotonicMs());
}

async function act(memory: WatchdogMemory, data: WatchdogData): Promise<void> {
  const { currentFd, currentText, currentDueMs } = memory.read();
  const known = currentDueMs > 0;
  const blocked = `the event loop is blocked past the deadline of ${data.deadlineMs} ms`;
  const text = known ? `${currentText}: ${blocked}` : blocked;
  // First of all, so that the replacement is on its way.
  sendNow({ type: "stuck", text });
  const thread = await readStuckThread(data.program);
  const culprit = thread?.facts.find((fact) => fact.isCurrent);
  const lines = thread?.stack ?? ["the stack is unknown: it is blocked outside JavaScript"];
  const name = culprit?.text ?? (known ? currentText : "no request known");
  sendNow({ type: "note", text: `JavaScript stack of worker ${data.workerId} (${name}):` });
  for (const line of lines) sendNow({ type: "note", text: line });
  if (thread === undefined) {
    if (known && currentFd > 2) speak(currentFd, 504);
  } else {
    for (const fact of thread.facts) {
      if (fact.fd > 2) speak(fact.fd, fact.isCurrent || fact.isOverdue ? 504 : 502);
    }
  }
  sendNow({ type: "spent" });
  await pause(KILL_AFTER_MS);
  process.kill(process.pid, "SIGKILL");
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}
