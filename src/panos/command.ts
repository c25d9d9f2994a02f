/**
 * A command for the command line of PAN-OS.
 *
 * @module
 */

/** Thrown for a reply that is not complete, or none to the command. */
export class ReplyError extends Error {
  override readonly name: string = "ReplyError";
}

/** A command, and how its reply is understood. */
export interface Command<Value> {
  readonly text: string;
  /** What some line of every answer holds, from its first line on. */
  readonly answer: RegExp;
  /** Characters that a line of the reply may have; 8 KiB unless it says so. */
  readonly maxLineLength?: number;
  /**
   * @param lines Without their ends, from behind the echo; the last one is what
   * has come since the last line end.
   * @throws {ReplyError} If the reply is not complete: it may be, when more comes.
   * @throws {PollError} The same, if the session cannot go on.
   */
  parse(lines: readonly string[]): Value;
}
