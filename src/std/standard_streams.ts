/**
 * What the program reads and prints when it does not serve.
 *
 * @module
 */

import { StartError } from "./start_error.ts";

/** A saved text is never as large. */
const MAX_INPUT_BYTES = 64 * 2 ** 20;

/**
 * Reads a stream to its end.
 *
 * @throws {StartError} If it cannot be read, or is over 64 MiB.
 */
export async function readInput(
  { readable }: { readonly readable: ReadableStream<Uint8Array<ArrayBuffer>> },
): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  try {
    for await (const chunk of readable) {
      size += chunk.length;
      if (size > MAX_INPUT_BYTES) break;
      chunks.push(chunk);
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const message = `Cannot read standard input: ${error.message}`;
    throw new StartError(message, { cause: error });
  }
  if (size > MAX_INPUT_BYTES) {
    throw new StartError("Cannot read standard input: it is over 64 MiB");
  }
  return await new Blob(chunks).bytes();
}

/** Prints a text, and waits until it is there. */
export async function print(
  text: string,
  { writable }: { readonly writable: WritableStream<Uint8Array> },
): Promise<void> {
  try {
    await new Blob([text]).stream().pipeTo(writable, { preventClose: true });
  } catch (error) {
    // a full disk, or a reader that has seen enough
    if (!(error instanceof Error)) throw error;
    throw new StartError(`Cannot print: ${error.message}`, { cause: error });
  }
}
