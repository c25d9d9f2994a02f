/**
 * How much a firewall may send that nobody asked for.
 *
 * @module
 */

const MAX_UNASKED_BYTES = 1024 * 1024;

/**
 * What SSH adds to a message of output: lengths and numbers (14), padding (up
 * to 19), and a code that authenticates it (up to 64).
 */
const MAX_OVERHEAD = 97;

/**
 * Counts what comes through a socket and is no output of a command.
 *
 * Answers to keepalives count too: they take two days to come to the limit.
 */
export class Traffic {
  #unasked = 0;
  /** Up to the first prompt, what is printed is the text of the login. */
  #isExpected = true;

  /** Whether more came since the last prompt than any firewall has to say. */
  get isExcessive(): boolean {
    return this.#unasked > MAX_UNASKED_BYTES;
  }

  /** Counts bytes from the socket. */
  received(bytes: number): void {
    this.#unasked += bytes;
  }

  /** Counts the output that one message among them held. */
  printed(bytes: number): void {
    if (!this.#isExpected) return;
    this.#unasked = Math.max(0, this.#unasked - bytes - MAX_OVERHEAD);
  }

  /** Output is that of a command from now on, or no longer. */
  expectOutput(isExpected: boolean): void {
    this.#isExpected = isExpected;
    if (!isExpected) this.#unasked = 0;
  }
}
