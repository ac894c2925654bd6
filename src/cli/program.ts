/** Both command lines, through commander. Each command loads its code when it is called: clients start fast. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { parseDurationMs } from "../core/duration.ts";
import { EXIT } from "../core/exit-codes.ts";
import { VERSION } from "../core/version.ts";
import type { CommandVerb } from "../emperor/control.ts";
import type { Program } from "./main.ts";

interface ClientFlags {
  readonly runtimeDir?: string;
  readonly json?: boolean;
}

/** A command line whose actions answer with the exit code. */
class CommandLine implements Program {
  readonly root: Command;
  #exitCode: number = EXIT.done;

  constructor(name: string, description: string) {
    this.root = new Command(name)
      .description(description)
      .version(VERSION, "-V, --version", "print the release")
      .helpOption("-h, --help", "print help")
      .showSuggestionAfterError()
      .exitOverride()
      .configureOutput({
        outputError: (text, write) => {
          write(text.replace(/^error: /, `${name}: `));
        },
      });
  }

  /** Wraps an action so that its number becomes the exit code. */
  action<A extends readonly unknown[]>(
    work: (...args: A) => Promise<number>,
  ): (...args: A) => Promise<void> {
    return async (...args) => {
      this.#exitCode = await work(...args);
    };
  }

  async run(parameters: readonly string[]): Promise<number> {
    try {
      await this.root.parseAsync([...parameters], { from: "user" });
      return this.#exitCode;
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      // commander has printed what was wrong; help and version are no errors.
      return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    }
  }
}

/** `tsgi-emperor`. */
export function emperorProgram(name: string): Program {
  const line = new CommandLine(
    name,
    "Fleet supervisor: a file in a directory is an application that serves",
  );
  addRun(line);
  addStatus(line);
  addWait(line);
  addVerb(line, "reload", "replace by a new generation, with no downtime");
  addVerb(line, "restart", "stop hard and start again");
  addVerb(line, "stop", "stop until 'start', also across a restart of the emperor");
  addVerb(line, "start", "start what 'stop' stopped");
  addVerb(line, "pardon", "clear a backoff and try again now");
  addLogs(line);
  addEvents(line);
  addConfigCommands(line);
  client(line, "shutdown", "stop every vassal and the emperor").action(
    line.action(async (flags: ClientFlags) => {
      const { shutdown } = await import("./commands/shutdown.ts");
      return shutdown(flags);
    }),
  );
  return line;
}

function addRun(line: CommandLine): void {
  line.root
    .command("run")
    .description("the emperor, in the foreground")
    .option("--vassals <dir>", "folder of vassal files; may be repeated", collect)
    .option("--runtime-dir <dir>", "folder of the sockets and the lock")
    .option("--state-dir <dir>", "folder of journal, receipts and logs")
    .option("--config <file>", "settings of the emperor (emperor.yaml)")
    .addOption(
      new Option("--log-format <format>", "of the emperor's own log").choices(["text", "json"]),
    )
    .addOption(
      new Option("--log-level <level>", "least important messages to log").choices([
        "debug",
        "info",
        "warn",
        "error",
      ]),
    )
    .action(
      line.action(async (flags) => {
        const { run } = await import("./commands/run.ts");
        return run(flags);
      }),
    );
}

function addStatus(line: CommandLine): void {
  client(line, "status", "the fleet as a table: up, ready, healthy, serving")
    .argument("[name...]", "vassals, globs or tag:NAME; all by default")
    .option("--json", "one JSON document")
    .option("-w, --watch", "again every second until ^C")
    .action(
      line.action(async (names: string[], flags: ClientFlags & { watch?: boolean }) => {
        const { status } = await import("./commands/status.ts");
        return status(names, flags);
      }),
    );
}

function addWait(line: CommandLine): void {
  client(line, "wait", "until the files as they are on disk are live (0) or have failed (1)")
    .argument("<name...>", "vassals, globs or tag:NAME")
    .option("--timeout <duration>", "longest time to wait", duration, 60_000)
    .option("--json", "results and receipts as one JSON document")
    .action(
      line.action(async (names: string[], flags: ClientFlags & { timeout: number }) => {
        const { wait } = await import("./commands/wait.ts");
        return wait(names, flags);
      }),
    );
}

function addVerb(line: CommandLine, verb: CommandVerb, description: string): void {
  client(line, verb, description)
    .argument("<name...>", "vassals, globs or tag:NAME")
    .option("--wait", "until the result is known, as 'wait' does")
    .option("--timeout <duration>", "longest time for --wait", duration, 60_000)
    .option("--json", "results as one JSON document")
    .action(
      line.action(
        async (names: string[], flags: ClientFlags & { timeout: number; wait?: boolean }) => {
          const { command } = await import("./commands/command.ts");
          return command(verb, names, flags);
        },
      ),
    );
}

function addLogs(line: CommandLine): void {
  client(line, "logs", "what the vassals wrote, in order of time")
    .argument("[name...]", "vassals, globs or tag:NAME; all by default")
    .option("-f, --follow", "go on with what is written from now on")
    .option("-n, --lines <number>", "how many lines to begin with", count, 50)
    .action(
      line.action(
        async (names: string[], flags: ClientFlags & { follow?: boolean; lines: number }) => {
          const { logs } = await import("./commands/logs.ts");
          return logs(names, flags);
        },
      ),
    );
}

function addEvents(line: CommandLine): void {
  client(line, "events", "the event journal")
    .option("-f, --follow", "go on with what happens from now on")
    .option("-n, --lines <number>", "how many events to begin with", count, 50)
    .option("--json", "one JSON document a line")
    .action(
      line.action(async (flags: ClientFlags & { follow?: boolean; lines: number }) => {
        const { events } = await import("./commands/events.ts");
        return events(flags);
      }),
    );
}

function addConfigCommands(line: CommandLine): void {
  line.root
    .command("check")
    .description("validate without running anything; every problem of every file at once")
    .argument("<path...>", "vassal files or folders of them")
    .option("--resolved", "also every option with the value in force and its origin")
    .option("--json", "one JSON document")
    .action(
      line.action(async (paths: string[], flags: { resolved?: boolean; json?: boolean }) => {
        const { checkPaths } = await import("./commands/check.ts");
        const { text, json, exitCode } = checkPaths(paths, { resolved: flags.resolved === true });
        const toErrors = exitCode !== EXIT.done && flags.json !== true;
        const output = toErrors ? process.stderr : process.stdout;
        output.write(flags.json === true ? `${JSON.stringify(json, null, 2)}\n` : text);
        return exitCode;
      }),
    );
  line.root
    .command("explain")
    .description("what a key of a vassal file means; without one, all keys")
    .argument("[key]")
    .action(
      line.action(async (key?: string) => {
        const { explain } = await import("./commands/explain.ts");
        const { text, exitCode } = explain(key);
        (exitCode === EXIT.done ? process.stdout : process.stderr).write(text);
        return exitCode;
      }),
    );
  line.root
    .command("schema")
    .description("the JSON Schema of a vassal file, or of emperor.yaml")
    .option("--emperor", "of emperor.yaml")
    .action(
      line.action(async (flags: { emperor?: boolean }) => {
        const { schema } = await import("./commands/schema.ts");
        process.stdout.write(schema(flags.emperor === true ? "emperor" : "vassal"));
        return EXIT.done;
      }),
    );
}

/** A command that talks to a running emperor. */
function client(line: CommandLine, name: string, description: string): Command {
  return line.root
    .command(name)
    .description(description)
    .option("--runtime-dir <dir>", "of the emperor to talk to; else $TSGI_RUNTIME_DIR");
}

/** `tsgi`: `tsgi run FILE`, or the keys of a vassal file as flags. */
export function vassalProgram(name: string): Program {
  const line = new CommandLine(
    name,
    "One vassal without an emperor: 'tsgi run FILE', or its keys as flags",
  );
  line.root
    .command("run")
    .description("serve one vassal file, in the foreground")
    .argument("<file>", "vassal file")
    .action(
      line.action(async (file: string) => {
        const { serveFile } = await import("./commands/serve.ts");
        return serveFile(file);
      }),
    );
  // The keys come from the option table, which knows better than commander how to read them.
  line.root
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText("after", "\n'tsgi --flags' lists the flags: one for each key of a vassal file")
    .action(
      line.action(async (_flags: unknown, command: Command) => {
        const { serveFlags } = await import("./commands/serve.ts");
        return serveFlags(command.args);
      }),
    );
  return line;
}

function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

function duration(text: string): number {
  const durationMs = parseDurationMs(text, "s");
  if (durationMs === undefined) throw new InvalidArgumentError("Write a duration such as 60s");
  return durationMs;
}

function count(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError("Write a number from 0 to 99999");
  return Number(text);
}
