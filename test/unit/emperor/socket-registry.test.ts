import assert from "node:assert/strict";
import test from "node:test";
import { SocketRegistry } from "../../../src/emperor/socket-registry.ts";
import { tcp, unix } from "../../kit/vassal-config.ts";

/** Counts instead of opening. */
function counting(refuse = ""): { readonly registry: SocketRegistry; readonly open: Set<string> } {
  const open = new Set<string>();
  let fd = 10;
  const registry = new SocketRegistry({
    listen: ({ text }) => {
      if (text === refuse) throw new Error(`Cannot listen on ${text}: it is in use`);
      open.add(text);
      fd += 1;
      return { fd, close: () => void open.delete(text) };
    },
  });
  return { registry, open };
}

test("SocketRegistry.claim() keeps the descriptor of an address across generations", () => {
  const { registry, open } = counting();
  const first = registry.claim("blog", [tcp(1), unix("/a")]);
  assert.deepEqual(registry.claim("blog", [tcp(1), unix("/a")]), first);
  assert.equal(open.size, 2);
});

test("SocketRegistry.claim() refuses an address of another vassal by its name, and leaves nothing half done", () => {
  const { registry, open } = counting();
  registry.claim("blog", [tcp(1)]);
  assert.throws(() => registry.claim("shop", [tcp(2), tcp(1)]), {
    code: "TSGI_LISTEN_FAILED",
    message: /vassal "blog" has it already/,
  });
  assert.deepEqual([...open], ["http://127.0.0.1:1"]);
  registry.keepOnly("blog", []);
  assert.equal(registry.claim("shop", [tcp(1)]).length, 1);
});

test("SocketRegistry.claim() names the vassal on the same port when the kernel refuses", () => {
  const { registry } = counting("http://0.0.0.0:1");
  registry.claim("blog", [tcp(1)]);
  assert.throws(() => registry.claim("wide", [tcp(1, "0.0.0.0")]), {
    message: /it is in use \(vassal "blog" listens on http:\/\/127.0.0.1:1\)/,
  });
});

test("SocketRegistry.keepOnly() closes what this vassal does not use any more, and nothing of others", () => {
  const { registry, open } = counting();
  registry.claim("blog", [tcp(1), tcp(2)]);
  registry.claim("shop", [tcp(3)]);
  registry.keepOnly("blog", ["http://127.0.0.1:2"]);
  assert.deepEqual([...open].sort(), ["http://127.0.0.1:2", "http://127.0.0.1:3"]);
  registry.closeAll();
  assert.equal(open.size, 0);
});
