/** Holds the main thread with the debugger and reads where it stands (node:inspector, Session.connectToMainThread). */
import { Session } from "node:inspector";
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
export function readStuckThread(): Promise<StuckThread | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), WITHIN_MS);
    const session = new Session();
    const urls = new Map<string, string>();
    session.connectToMainThread();
    session.on("Debugger.scriptParsed", ({ params }) => urls.set(params.scriptId, params.url));
    session.on("Debugger.paused", ({ params }) => {
      clearTimeout(timer);
      const stack = params.callFrames.slice(0, FRAMES_MAX).map((frame) => frameText(frame, urls));
      session.post("Runtime.evaluate", { expression: STUCK_FACTS_EXPRESSION }, (error, answer) => {
        const value: unknown = error === null ? answer.result.value : undefined;
        resolve({ stack, facts: parseFacts(value) });
      });
    });
    session.post("Debugger.enable", () => session.post("Debugger.pause"));
  });
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
