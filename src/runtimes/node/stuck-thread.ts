/** Holds the main thread with the debugger and reads where it stands (node:inspector, Session.connectToMainThread). */
import { Session } from "node:inspector";
import { dirname } from "node:path";
import type { Debugger } from "node:inspector";
import { STUCK_FACTS_EXPRESSION, type StuckFact } from "./stuck-facts.ts";

const WITHIN_MS = 1000;
const FRAMES_MAX = 30;

export interface StuckThread {
  /** "    at name (url:line:column)", innermost first. */
  readonly stack: readonly string[];
  readonly facts: readonly StuckFact[];
}

/** Undefined when the main thread cannot be held: it is inside native code. It stays held otherwise. */
export function readStuckThread(program: string): Promise<StuckThread | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), WITHIN_MS);
    const session = new Session();
    const urls = new Map<string, string>();
    session.connectToMainThread();
    session.on("Debugger.scriptParsed", ({ params }) => urls.set(params.scriptId, params.url));
    session.on("Debugger.paused", ({ params }) => {
      clearTimeout(timer);
      const frames = params.callFrames.map((frame) => frameText(frame, urls));
      const stack = ofApplication(frames, program).slice(0, FRAMES_MAX);
      session.post("Runtime.evaluate", { expression: STUCK_FACTS_EXPRESSION }, (error, answer) => {
        const value: unknown = error === null ? answer.result.value : undefined;
        resolve({ stack, facts: parseFacts(value) });
      });
    });
    session.post("Debugger.enable", () => session.post("Debugger.pause"));
  });
}

/** Without the frames below the application: how a request came to it is always the same. */
export function ofApplication(frames: readonly string[], program: string): readonly string[] {
  const own = dirname(program);
  const last = frames.findLastIndex(
    (frame) => !/\((?:node:|<anonymous>)/.test(frame) && !frame.includes(`${own}/`),
  );
  return last < 0 ? frames : frames.slice(0, last + 1);
}

function frameText(frame: Debugger.CallFrame, urls: ReadonlyMap<string, string>): string {
  const { scriptId, lineNumber, columnNumber = 0 } = frame.location;
  const url = frame.url === "" ? (urls.get(scriptId) ?? "<anonymous>") : frame.url;
  const name = frame.functionName === "" ? "<anonymous>" : frame.functionName;
  return `    at ${name} (${url}:${lineNumber + 1}:${columnNumber + 1})`;
}

/** Our own function in the main thread wrote it. */
function parseFacts(value: unknown): readonly StuckFact[] {
  return typeof value === "string" ? (JSON.parse(value) as StuckFact[]) : [];
}
