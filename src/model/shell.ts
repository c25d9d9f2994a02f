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
  /**
   * Tells the shell where the dialogue stands: a firewall that talks without
   * being asked is given up after a while. Missing where nobody counts.
   *
   * @param isExpected `true` once a command is sent, `false` once its prompt
   * has come.
   */
  expectOutput?(isExpected: boolean): void;
}
