/**
 * The log: one line an event, to the place that is given.
 *
 * Without a time of its own: journald and container runtimes add one.
 *
 * @module
 */

import { escapeUnsafe, type Mask, shorten } from "./quote.ts";

/** From the most to the least talkative. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
/** One of them. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** `logfmt` for people and Loki, `json` for programs. */
export const LOG_FORMATS = ["logfmt", "json"] as const;
/** One of them. */
export type LogFormat = (typeof LOG_FORMATS)[number];

/** What an event is about; printed in the order given. */
export type Fields = Readonly<Record<string, string | number>>;

/** Writes one event: what happened, in words that do not change, and details. */
export type Log = (level: LogLevel, message: string, fields?: Fields) => void;

/** Longer values are cut: what a firewall prints has no limit. */
const MAX_VALUE_LENGTH = 1_000;

/** Writes the fields of one event as one line. */
export type Format = (fields: Fields) => string;

/** Creates a log that drops what is below a level. */
export function createLog(options: {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Takes out of each value what must not be shown, before it is cut. */
  readonly mask: Mask;
  readonly write: (line: string) => void;
}): Log {
  const lowest = LOG_LEVELS.indexOf(options.level);
  const format = FORMATS[options.format];
  return (level, message, fields = {}) => {
    if (LOG_LEVELS.indexOf(level) < lowest) return;
    const masked = Object.entries(fields).map(([key, value]) =>
      [key, typeof value === "string" ? options.mask(value) : value] as const
    );
    const line = { level, msg: message, ...Object.fromEntries(masked) };
    options.write(format(line));
  };
}

/** How events are written. */
export const FORMATS: Readonly<Record<LogFormat, Format>> = {
  json: toJson,
  logfmt: toLogfmt,
};

function toJson(fields: Fields): string {
  const cleaned = Object.entries(fields).map(([key, value]) =>
    [key, typeof value === "string" ? clean(value) : value] as const
  );
  return JSON.stringify(Object.fromEntries(cleaned));
}

function toLogfmt(fields: Fields): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key}=${toLogfmtValue(clean(String(value)))}`)
    .join(" ");
}

function toLogfmtValue(value: string): string {
  if (/^[^\s"=\\]+$/.test(value)) return value;
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function clean(value: string): string {
  return escapeUnsafe(shorten(value, MAX_VALUE_LENGTH));
}
