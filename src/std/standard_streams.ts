/**
 * What the program reads and prints when it does not serve.
 *
 * @module
 */

import { StartError } from "./start_error.ts";

/** Reads a stream to its end. */
export async function readInput(
  { readable }: { readonly readable: ReadableStream<Uint8Array<ArrayBuffer>> },
): Promise<Uint8Array> {
  try {
    return await new Response(readable).bytes();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const message = `Cannot read standard input: ${error.message}`;
    throw new StartError(message, { cause: error });
  }
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
