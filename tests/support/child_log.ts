/**
 * What a child process prints, line by line.
 *
 * A line that is written is not yet read: a test that looks at the lines so far
 * fails on a busy machine. So there is no such look: a test waits for a line, or
 * reads them all when the process has closed the stream.
 *
 * @module
 */

/** Lines to wait for: all of a text, or what a pattern finds. */
export type Pattern = RegExp | string;

/** How long a line may take before the process is said to hang. */
const PATIENCE_MS = 60_000;

/** Reads a stream of a child process, whether or not anybody waits for it. */
export class ChildLog {
  readonly #lines: string[] = [];
  readonly #observers = new Set<() => void>();
  #hasEnded = false;
  /** All lines, once there are no more. */
  readonly whole: Promise<readonly string[]>;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.whole = this.#read(stream);
  }

  async #read(
    stream: ReadableStream<Uint8Array>,
  ): Promise<readonly string[]> {
    for await (const line of lines(stream)) {
      this.#lines.push(line);
      this.#tell();
    }
    this.#hasEnded = true;
    this.#tell();
    return this.#lines;
  }

  #tell(): void {
    for (const observe of [...this.#observers]) observe();
  }

  /**
   * Waits for a line, or for the last of so many.
   *
   * @throws With all lines, if the stream ends or nothing comes for a minute.
   */
  async logged(pattern: Pattern, times = 1): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const fail = (why: string): void => {
      const all = this.#lines.join("\n");
      reject(new Error(`${why} without ${times} × ${pattern}:\n${all}`));
    };
    const look = (): void => {
      const found = this.#lines.filter((line) => matches(line, pattern));
      const line = found[times - 1];
      if (line !== undefined) resolve(line);
      else if (this.#hasEnded) fail("It ended");
    };
    const timer = setTimeout(() => fail("A minute passed"), PATIENCE_MS);
    this.#observers.add(look);
    look();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#observers.delete(look);
    }
  }

  /** Shows each line to a person, those so far first. */
  follow(show: (line: string) => void): void {
    let shown = 0;
    const showNew = (): void => {
      for (; shown < this.#lines.length; shown++) {
        show(this.#lines[shown] ?? "");
      }
    };
    this.#observers.add(showNew);
    showNew();
  }
}

function matches(line: string, pattern: Pattern): boolean {
  return typeof pattern === "string"
    ? line.includes(pattern)
    : pattern.test(line);
}

/** Splits a stream of text into its lines. */
export async function* lines(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) yield line.replace(/\r$/, "");
  }
  if (rest !== "") yield rest;
}
