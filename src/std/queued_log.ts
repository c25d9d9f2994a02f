/**
 * A log whose lines wait in a queue: a slow reader holds up nothing.
 *
 * @module
 */

import { LineQueue } from "./line_queue.ts";
import {
  createLog,
  FORMATS,
  type Log,
  type LogFormat,
  type LogLevel,
} from "./log.ts";
import type { Mask } from "./quote.ts";

/** A log, and what is on its way. */
export interface QueuedLog {
  readonly log: Log;
  /** Writes a line that is no event. */
  readonly tell: (line: string) => void;
  /** Settles when all lines are written, or cannot be. */
  flushed(): Promise<void>;
}

/** Creates a log that tells when it had to drop lines. */
export function createQueuedLog({ write, ...options }: {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly mask: Mask;
  /** Writes some of the bytes, and tells how many. */
  readonly write: (bytes: Uint8Array) => Promise<number>;
}): QueuedLog {
  const toNotice = (lines: number): string =>
    FORMATS[options.format]({ level: "warn", msg: "lines dropped", lines });
  const queue = new LineQueue(write, toNotice);
  const tell = (line: string): void => queue.push(line);
  return {
    log: createLog({ ...options, write: tell }),
    tell,
    flushed: () => queue.flushed(),
  };
}
