/** The vassal's end of the channel against a real unix socket: who it is, what is repeated, what is only said once. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { ToVassal } from "../../../src/ipc/link.ts";
import { LineDecoder } from "../../../src/ipc/link.ts";
import type { VassalSpec } from "../../../src/ipc/vassal-spec.ts";
import { EmperorLink } from "../../../src/vassal/emperor-link.ts";
import { eventually } from "../../kit/eventually.ts";

/** An emperor that only listens: everything each connection said, in order. */
class Listener implements AsyncDisposable {
  readonly said: Record<string, unknown>[][] = [];
  readonly sockets: Socket[] = [];
  readonly #server: Server;

  private constructor(path: string) {
    this.#server = createServer((socket) => {
      const messages: Record<string, unknown>[] = [];
      const decoder = new LineDecoder();
      this.said.push(messages);
      this.sockets.push(socket);
      socket.setEncoding("utf8");
      socket.on("data", (chunk) => {
        for (const value of decoder.push(String(chunk)))
          messages.push(value as Record<string, unknown>);
      });
    }).listen(path);
  }

  static at(path: string): Listener {
    return new Listener(path);
  }

  types(connection: number): readonly unknown[] {
    return (this.said[connection] ?? []).map((message) => message["type"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function link(context: TestContext, path: string): { link: EmperorLink; heard: ToVassal[] } {
  const heard: ToVassal[] = [];
  const spec = {
    name: "blog",
    generation: 3,
    link: { path, token: "secret" },
  } as unknown as VassalSpec;
  const created = new EmperorLink(spec, (message) => heard.push(message));
  context.after(() => created.close());
  return { link: created, heard };
}

function socketPath(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "tsgi-link-"));
  context.after(() => rmSync(folder, { recursive: true }));
  return join(folder, "link.sock");
}

test("EmperorLink says hello first, and repeats facts but not events to an emperor that comes later", async (context) => {
  const path = socketPath(context);
  const { link: vassal } = link(context, path);
  vassal.fact({ type: "ready" });
  vassal.event({ kind: "worker-died", message: "worker 1 died" });
  vassal.start();
  const first = Listener.at(path);
  await eventually("everything was said", () => first.types(0).length === 3);
  assert.deepEqual(first.types(0), ["hello", "ready", "event"]);
  const hello = first.said[0]?.[0];
  assert.equal(hello?.["name"], "blog");
  assert.equal(hello?.["pid"], process.pid);
  assert.equal(hello?.["token"], "secret");
  await first[Symbol.asyncDispose]();
  vassal.fact({ type: "accepting" });
  await using second = Listener.at(path);
  await eventually("the next emperor knows", () => second.types(0).length === 3);
  assert.deepEqual(second.types(0), ["hello", "ready", "accepting"]);
});

test("EmperorLink hands on what it knows, ignores what it does not, and starts over after garbage", async (context) => {
  const path = socketPath(context);
  await using emperor = Listener.at(path);
  const { link: vassal, heard } = link(context, path);
  vassal.start();
  await eventually("the vassal is there", () => emperor.types(0).length === 1);
  emperor.sockets[0]?.write(
    '{"type":"serve"}\n{"type":"from the future"}\n{"type":"drain","timeoutMs":5}\n{"type":"drain"}\n',
  );
  await eventually("both were heard", () => heard.length === 2);
  assert.deepEqual(heard, [{ type: "serve" }, { type: "drain", timeoutMs: 5 }]);
  emperor.sockets[0]?.write("no json\n");
  await eventually("a second connection", () => emperor.types(1).length === 1);
});

test("EmperorLink keeps the newest 100 events while nobody listens", async (context) => {
  const path = socketPath(context);
  const { link: vassal } = link(context, path);
  for (let number = 0; number < 500; number += 1)
    vassal.event({ kind: "test", message: `${number}` });
  await using emperor = Listener.at(path);
  vassal.start();
  await eventually("they are there", () => emperor.types(0).length === 101);
  assert.deepEqual(emperor.said[0]?.at(-1)?.["event"], { kind: "test", message: "499" });
});
