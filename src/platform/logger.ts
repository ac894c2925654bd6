/** The program's own log, through pino: one JSON object or one line of text to an event, on a descriptor. */
import { pino } from "pino";
import type { Log, LogFields } from "../core/log.ts";
import { renderLogLine } from "./log-text.ts";

export type LogFormat = "text" | "json";
export type LogLevel = "debug" | "info" | "warn" | "error";

export interface LogOptions {
  /** Descriptor to write to; 2 by default. */
  readonly fd?: number;
  readonly format: LogFormat;
  readonly level?: LogLevel;
}

/** A log that writes at once, and that goes on in silence when nobody reads any more or the disk is full. */
export function createLogger(options: LogOptions): Log {
  const destination = pino.destination({ dest: options.fd ?? 2, sync: true });
  // pino itself ends the writing at EPIPE; without this listener any other error would end the process.
  destination.on("error", () => undefined);
  const logger = pino(
    {
      level: options.level ?? "info",
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.format === "json"
      ? destination
      : {
          write: (line: string) => {
            destination.write(renderLogLine(line));
          },
        },
  );
  const at =
    (level: LogLevel) =>
    (fields: LogFields, message: string): void => {
      logger[level](fields, message);
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
