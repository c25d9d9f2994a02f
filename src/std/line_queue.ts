/**
 * Lines on their way to a reader who may be slow, gone, or out of disk: none of
 * that holds up or ends the program.
 *
 * @module
 */

/** Characters that may wait; what comes on top is dropped. */
const MAX_WAITING_LENGTH = 1_000_000;

/** Characters that are written at once. */
const BATCH_LENGTH = 64_000;

/** A bounded queue of lines, written one batch after the other. */
export class LineQueue {
  readonly #write: (bytes: Uint8Array) => Promise<number>;
  readonly #toNotice: (dropped: number) => string;
  #waiting: string[] = [];
  #waitingLength = 0;
  #dropped = 0;
  #writing: Promise<void> | undefined;

  /**
   * @param write Writes some of the bytes, and tells how many.
   * @param toNotice The line that tells how many lines were dropped.
   */
  constructor(
    write: (bytes: Uint8Array) => Promise<number>,
    toNotice: (dropped: number) => string,
  ) {
    this.#write = write;
    this.#toNotice = toNotice;
  }

  /** Takes a line, without its end; never waits and never throws. */
  push(line: string): void {
    if (this.#waitingLength + line.length > MAX_WAITING_LENGTH) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(line);
    this.#waitingLength += line.length;
    this.#writing ??= this.#drain();
  }

  /** Settles once all has been written, or has failed to be. */
  async flushed(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#writeAll(new TextEncoder().encode(this.#takeBatch()));
    }
    this.#writing = undefined;
  }

  #takeBatch(): string {
    let batch = "";
    if (this.#dropped > 0) {
      batch = `${this.#toNotice(this.#dropped)}\n`;
      this.#dropped = 0;
    }
    let count = 0;
    for (const line of this.#waiting) {
      if (count > 0 && batch.length + line.length > BATCH_LENGTH) break;
      batch += `${line}\n`;
      this.#waitingLength -= line.length;
      count++;
    }
    this.#waiting = this.#waiting.slice(count);
    return batch;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    try {
      let rest = bytes;
      while (rest.length > 0) rest = rest.subarray(await this.#write(rest));
    } catch {
      // a full disk, or a reader that is gone: there is no place to tell it
    }
  }
}
