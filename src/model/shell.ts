/**
 * A shell on a firewall, whatever it is reached by.
 *
 * @module
 */

/** The far side of the dialogue. */
export interface Shell {
  /** Cancelled if the dialogue cannot go on. */
  readonly output: ReadableStream<Uint8Array>;
  write(text: string): void;
  /** Told whether a command is under way: what comes else was not asked for. */
  expectOutput?(isExpected: boolean): void;
}
