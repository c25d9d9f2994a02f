/**
 * A command for the command line of PAN-OS.
 *
 * @module
 */

/** A command, and how its reply is understood. */
export interface Command<Value> {
  readonly text: string;
  /** What some line of every answer holds, from its first line on. */
  readonly answer: RegExp;
  /** Characters that a line of the reply may have; 8 KiB unless it says so. */
  readonly maxLineLength?: number;
  /**
   * Throws for a reply that is not complete.
   *
   * @param lines Without their ends, from behind the echo; the last one is what
   * has come since the last line end.
   */
  parse(lines: readonly string[]): Value;
}
