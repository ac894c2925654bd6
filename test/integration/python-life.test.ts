/** Life and death of Python workers: loading, recycling, deadlines, kills; nobody else notices. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { eventually } from "../kit/eventually.ts";
import { ask } from "../kit/http.ts";
import { ROOT } from "../kit/paths.ts";
import { allProcesses, isAlive, processFact } from "../kit/processes.ts";
import { missing } from "../kit/programs.ts";
import { PYTHON_APPS, startPython } from "../kit/python-runtime.ts";
import type { PythonFixture } from "../kit/python-runtime.ts";
import { StartFailure } from "../../src/runtimes/runtime.ts";

const BROKEN = join(PYTHON_APPS, "broken");

function serve(
  target: string,
  options: Parameters<typeof startPython>[2] = {},
  folder = PYTHON_APPS,
): Promise<PythonFixture> {
  return startPython(folder, target, options);
}

function twoWorkers(): { readonly min: number; readonly max: number } {
  return { min: 2, max: 2 };
}

/** The failure of a start, and what the application printed before it. */
async function failure(
  target: string,
  options: Parameters<typeof startPython>[2] = {},
  folder = BROKEN,
): Promise<{ message: string; lines: string }> {
  try {
    await using _app = await serve(target, options, folder);
  } catch (error) {
    assert.ok(error instanceof StartFailure, String(error));
    const lines = "lines" in error && Array.isArray(error.lines) ? error.lines.join("\n") : "";
    return { message: error.message, lines };
  }
  throw new Error(`${target} started`);
}

/** The processes of the loaders below this test process. */
function loaderOf(app: PythonFixture): number {
  const worker = app.runtime.workers()[0]?.pid ?? 0;
  return processFact(worker)?.parent ?? 0;
}

describe("targets", { skip: missing("python3") }, () => {
  const cases: readonly (readonly [string, string])[] = [
    ["hello.py", "Hello, world!\n"],
    ["hello.py:application", "Hello, world!\n"],
    ["hello", "Hello, world!\n"],
    ["hello:application", "Hello, world!\n"],
    ["package.wsgi", "from a package"],
    ["package.wsgi:app", "from a package"],
    ["factory:create_app()", "made by a factory"],
    ["factory.py:Holder.inner", "made by a factory"],
  ];
  for (const [target, body] of cases) {
    for (const preload of [true, false]) {
      test(`'${target}' is served, ${preload ? "loaded once" : "loaded in each worker"}`, async () => {
        await using app = await serve(target, { preload });
        assert.equal((await ask(app, "/")).body, body);
      });
    }
  }

  test("preload loads the application in the loader, without it in the worker", async () => {
    for (const preload of [true, false]) {
      await using app = await serve("routes.py", { preload });
      const [loadedBy, servedBy] = (await ask(app, "/loaded")).body.split(" ");
      assert.equal(loadedBy === servedBy, !preload);
    }
  });
});

describe(
  "an application that cannot load is a StartFailure with its traceback",
  {
    skip: missing("python3"),
  },
  () => {
    const cases: readonly (readonly [string, RegExp, RegExp])[] = [
      ["syntax", /SyntaxError/, /def application\(:/],
      ["imports.py", /ModuleNotFoundError: No module named 'no_such_module_anywhere'/, /line 1/],
      ["leaves", /sys\.exit\(7\)/, /about to leave/],
      ["dies.py", /the loader died with exit code 9/, /^/],
      ["nothing_here", /No module named 'nothing_here'/, /^/],
      ["nothing_here.py", /Cannot find the application file/, /nothing_here\.py/],
    ];
    for (const [target, message, output] of cases) {
      test(target, async () => {
        const failed = await failure(target);
        assert.match(failed.message, message);
        assert.match(failed.lines, output);
        assert.ok(!failed.lines.includes("tsgi_bridge.py"), failed.lines);
      });
    }

    test("a callable that is missing, not callable, or ASGI", async () => {
      const reason = async (target: string): Promise<string> =>
        (await failure(target, {}, PYTHON_APPS)).message;
      assert.match(await reason("hello:nothing"), /Cannot find 'nothing' in 'hello'/);
      assert.match(await reason("factory"), /Cannot find 'application' or 'app' in 'factory'/);
      assert.match(await reason("factory:number"), /it is int, not a callable/);
      assert.match(await reason("factory:asgi"), /ASGI/);
    });

    test("without preload too", async () => {
      const failed = await failure("imports.py", { preload: false });
      assert.match(failed.message, /worker 1: it died with exit code 22/);
      assert.match(failed.lines, /No module named 'no_such_module_anywhere'/);
    });

    test("an interpreter that is missing is named with the fix", async () => {
      const named = await failure("hello.py", { interpreter: "python9.9" }, PYTHON_APPS);
      assert.match(named.message, /'python9\.9' is missing or not executable; correct the key/);
      const venv = await failure("hello.py", { virtualenv: "no-venv" }, PYTHON_APPS);
      assert.match(venv.message, /no-venv\/bin\/python' .*python3 -m venv no-venv/);
      const none = await failure("hello.py", { env: { PATH: "/nowhere" } }, PYTHON_APPS);
      assert.match(none.message, /apt-get install python3/);
    });
  },
);

describe("workers", { skip: missing("python3") }, () => {
  test("a worker killed while idle is replaced and nothing fails", async () => {
    await using app = await serve("routes.py", { workers: twoWorkers() });
    const victim = app.runtime.workers()[0]?.pid ?? 0;
    process.kill(victim, "SIGKILL");
    await app.line(/worker-died\| worker 1 died by SIGKILL/);
    await eventually("two workers serve", () => {
      const idle = app.runtime.workers().filter((worker) => worker.state === "idle");
      return idle.length === 2 && idle.every((worker) => worker.pid !== victim);
    });
    assert.equal((await ask(app, "/pid")).status, 200);
  });

  test("a worker that dies in a request costs one 502, or a cut when its head was sent", async () => {
    await using app = await serve("routes.py");
    assert.equal((await ask(app, "/die")).status, 502);
    assert.equal((await ask(app, "/pid")).status, 200);
    await assert.rejects(ask(app, "/die_late"));
    assert.equal((await ask(app, "/pid")).status, 200);
  });

  test("requests that a dying worker had not begun are answered by the next one", async () => {
    await using app = await serve("routes.py");
    // Fast answers first, so that the worker is trusted with more than one request.
    for (let turn = 0; turn < 50; turn += 1) await ask(app, "/pid");
    const answers = await Promise.all(
      ["/die", ...Array.from({ length: 20 }, () => "/pid")].map((path) => ask(app, path)),
    );
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [502, ...Array.from({ length: 20 }, () => 200)],
    );
  });

  test("the loader's death is survived: workers serve on, and new ones come from a new loader", async () => {
    await using app = await serve("routes.py", { workers: twoWorkers() });
    const loader = loaderOf(app);
    const before = app.runtime.workers().map((worker) => worker.pid);
    process.kill(loader, "SIGKILL");
    await app.line(/loader-died\| the loader died by SIGKILL/);
    assert.ok(before.includes(Number((await ask(app, "/pid")).body)));
    assert.deepEqual(
      app.runtime.workers().map((worker) => worker.pid),
      before,
    );
    for (const pid of before) process.kill(pid, "SIGKILL");
    await eventually("new workers serve", () => {
      const pids = app.runtime.workers().map((worker) => worker.pid);
      return pids.length === 2 && pids.every((pid) => pid > 0 && !before.includes(pid));
    });
    assert.equal((await ask(app, "/pid")).status, 200);
  });

  test("SIGTERM to a worker: its request is finished, then it goes and is replaced", async () => {
    for (const threads of [1, 2]) {
      await using app = await serve("routes.py", { threads });
      const slow = ask(app, "/slow_print");
      await app.line(/begun slowly/);
      const fact = processFact(app.runtime.workers()[0]?.pid ?? 0);
      assert.ok(fact !== undefined);
      process.kill(fact.pid, "SIGTERM");
      assert.equal((await slow).body, "slept");
      await eventually("it is gone", () => !isAlive(fact));
      assert.notEqual((await ask(app, "/pid")).body, String(fact.pid));
      assert.ok(app.lines.some((line) => /worker 1 died with exit code 0/.test(line)));
    }
  });

  test("max-requests: every request is answered while workers are replaced", async () => {
    await using app = await serve("routes.py", { workers: twoWorkers(), maxRequests: 20 });
    const pids = new Set<string>();
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let turn = 0; turn < 50; turn += 1) {
          const answer = await ask(app, "/pid");
          assert.equal(answer.status, 200);
          pids.add(answer.body);
        }
      }),
    );
    assert.ok(pids.size >= 4, `${pids.size} processes answered`);
    await app.line(/worker-recycled\| worker \d is replaced: max-requests reached/);
    assert.ok(!app.events.some((event) => event.kind === "worker-died"));
  });

  test("max-rss and max-lifetime recycle", async () => {
    await using app = await serve("routes.py", { maxRssBytes: 1024 * 1024 });
    await app.line(/worker-recycled\| worker 1 is replaced: max-rss reached/);
    await using aged = await serve("routes.py", { maxLifetimeMs: 100 });
    await aged.line(/worker-recycled\| worker 1 is replaced: max-lifetime reached/);
    assert.equal((await ask(aged, "/pid")).status, 200);
  });
});

describe("deadline", { skip: missing("python3") }, () => {
  test("answers 504 to that request alone, logs its stack, and replaces the worker first", async () => {
    await using app = await serve("routes.py", { deadlineMs: 300 });
    const stuck = app.runtime.workers()[0]?.pid ?? 0;
    const answer = await ask(app, "/spin");
    assert.equal(answer.status, 504);
    await app.line(/event deadline\| worker 1: GET "\/spin" took longer than 0\.3 s/);
    await app.line(/tsgi\| .*routes\.py", line \d+, in spin/);
    const next = await ask(app, "/pid");
    assert.equal(next.status, 200);
    assert.notEqual(next.body, String(stuck));
    await eventually("the stuck worker is gone", () => processFact(stuck) === undefined);
    const kinds = app.lines.join("\n");
    assert.ok(kinds.indexOf("worker-recycled") > kinds.lastIndexOf("worker-ready"));
  });

  test("a request that had to wait for another one is no reason to kill its worker", async () => {
    await using app = await serve("routes.py", { deadlineMs: 800 });
    const { body: pid } = await ask(app, "/pid");
    // Whichever comes first takes so long that the other two are overdue before they could be done.
    const answers = await Promise.all(
      ["0.6", "0.5", "0.4"].map((time) => ask(app, `/sleep?${time}`)),
    );
    const good = answers.filter((answer) => answer.status === 200);
    const late = answers.filter((answer) => answer.status === 504);
    assert.deepEqual([good.length, late.length], [1, 2]);
    assert.equal((await ask(app, "/pid")).body, pid);
    assert.ok(!app.events.some((event) => event.kind === "deadline"));
  });

  test("a request that holds the interpreter lock is dumped by faulthandler", async () => {
    await using app = await serve("routes.py", { deadlineMs: 300 });
    assert.equal((await ask(app, "/hold")).status, 504);
    await app.line(/err\| .*routes\.py", line \d+ in hold/);
    assert.equal((await ask(app, "/pid")).status, 200);
  });

  test("other requests of a worker with threads finish first", async () => {
    await using app = await serve("routes.py", { deadlineMs: 1000, threads: 3 });
    const stuck = ask(app, "/spin");
    await app.line(/spinning/);
    await eventually("the deadline is near", async () => {
      const answer = await ask(app, "/sleep?0.05");
      assert.equal(answer.status, 200);
      return app.events.length > 1;
    });
    assert.equal((await stuck).status, 504);
    assert.equal((await ask(app, "/sleep?0.2")).status, 200);
  });
});

describe("no head-of-line blocking", { skip: missing("python3") }, () => {
  test("what waits behind a slow request in one worker is answered by an idle one", async () => {
    await using app = await serve("routes.py", { workers: twoWorkers() });
    for (let turn = 0; turn < 100; turn += 1) await ask(app, "/pid");
    const order: string[] = [];
    const slow = ask(app, "/sleep?1").then(() => order.push("slow"));
    await Promise.all(
      Array.from({ length: 40 }, () => ask(app, "/pid").then(() => order.push("fast"))),
    );
    await slow;
    assert.equal(order.indexOf("slow"), 40);
  });

  test("an unbegun request with a body is given to another worker with all of its body", async () => {
    await using app = await serve("routes.py", { workers: twoWorkers() });
    for (let turn = 0; turn < 100; turn += 1) await ask(app, "/pid");
    const body = Buffer.alloc(200_000, "x");
    const slow = ask(app, "/sleep?1");
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ask(app, "/read", { method: "POST", body })),
    );
    for (const answer of answers) assert.equal(answer.body, `200000 ${"x".repeat(20)}`);
    await slow;
  });
});

describe("the end", { skip: missing("python3") }, () => {
  test("stop ends every process and leaves no file in the scratch folder but the socket", async () => {
    const app = await serve("routes.py", { workers: twoWorkers(), threads: 2 });
    const facts = [loaderOf(app), ...app.runtime.workers().map((worker) => worker.pid)].map((pid) =>
      processFact(pid),
    );
    await app.runtime.stop();
    for (const fact of facts) assert.ok(fact !== undefined && !isAlive(fact));
    assert.deepEqual(readdirSync(app.scratch), []);
    await app[Symbol.asyncDispose]();
  });

  test("a client that leaves before its request has begun is forgotten", async () => {
    await using app = await serve("routes.py", { threads: 1 });
    const slow = ask(app, "/sleep?0.5");
    const socket = connect(app.port, "127.0.0.1");
    socket.write("GET /prints HTTP/1.1\r\nHost: a\r\n\r\n");
    await new Promise((resolve) => socket.once("connect", resolve));
    socket.destroy();
    await slow;
    assert.equal((await ask(app, "/pid")).status, 200);
  });

  test("loader and workers end by themselves when the vassal process is killed", async () => {
    const script = `
      import { startPython, PYTHON_APPS } from ${JSON.stringify(join(ROOT, "test/kit/python-runtime.ts"))};
      const app = await startPython(PYTHON_APPS, "routes.py", { workers: { min: 2, max: 2 } });
      console.log(app.scratch, app.runtime.workers().map((worker) => worker.pid).join(" "));
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const line = await new Promise<string>((resolve) =>
      child.stdout.setEncoding("utf8").once("data", resolve),
    );
    const [scratch = "", ...words] = line.trim().split(" ");
    const pids = words.map(Number);
    const loader = processFact(pids[0] ?? 0)?.parent ?? 0;
    const facts = allProcesses().filter((fact) => [loader, ...pids].includes(fact.pid));
    assert.equal(facts.length, 3);
    child.kill("SIGKILL");
    await eventually("all three are gone", () => !facts.some((fact) => isAlive(fact)));
    rmSync(scratch, { recursive: true });
  });
});
