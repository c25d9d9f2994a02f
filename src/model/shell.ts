/**
 * A shell on a firewall, be it over SSH or in a test.
 *
 * @module
 */

/** The far side of the dialogue. */
export interface Shell {
  /** Cancelled if the dialogue cannot go on. */
  readonly output: ReadableStream<Uint8Array>;
  write(text: string): void;
  /**
   * Tells the shell whether output is expected. Output that nobody asked for is
   * counted, and too much of it ends the connection.
   *
   * @param expectation `isExpected` once a command is sent, and until its prompt
   * has come.
   */
  expectOutput(expectation: { readonly isExpected: boolean }): void;
}
