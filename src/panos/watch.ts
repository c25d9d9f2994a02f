/**
 * Waiting for something to appear on a screen, without guessing how long.
 *
 * @module
 */

import { PollError } from "../model/poll.ts";
import { createScreen, type Screen } from "./screen.ts";

/** What the screen says, provided that nothing more comes for a while. */
export interface Verdict {
  /** 0 if nothing that could still come would change it. */
  readonly quietMs: number;
  /** Why there is no point in going on, if that is what the screen says. */
  readonly failure?: PollError;
}

/** Reads the screen; `undefined` means that more has to come. */
export type Judge = (screen: Screen) => Verdict | undefined;

/** A screen that is being written on. */
export interface Watch {
  readonly screen: Screen;
  /** Settles with the reason when nothing more will come. */
  readonly closed: Promise<PollError>;
  /**
   * Waits for a verdict that stands. The judge is asked again with each chunk.
   *
   * @throws {PollError} The verdict's failure; or, if the output ended before
   * there was a verdict, why it ended.
   */
  until(judge: Judge): Promise<void>;
}

/** More than this between two clearings is not a table of tunnels. */
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_LINE_LENGTH = 8 * 1024;

/** Writes all output on a screen, whether or not somebody waits for it. */
export function watch(output: ReadableStream<Uint8Array>): Watch {
  const screen = createScreen();
  let review = (): void => {};
  let end: PollError | undefined;

  async function pump(): Promise<PollError> {
    try {
      for await (const chunk of output) {
        screen.write(chunk);
        if (
          screen.size > MAX_BYTES || screen.line.length > MAX_LINE_LENGTH
        ) {
          return new PollError(
            "parse",
            "Cannot read what the firewall prints: more than 8 MiB, or a line of more than 8 KiB",
          );
        }
        review();
      }
      return new PollError("session", "The firewall closed the session");
    } catch (error) {
      if (error instanceof PollError) return error;
      throw error;
    }
  }

  const closed = pump().then((reason) => {
    end = reason;
    review();
    return reason;
  });

  function until(judge: Judge): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let timer: ReturnType<typeof setTimeout> | undefined;

    function conclude({ failure }: Partial<Verdict>): void {
      clearTimeout(timer);
      review = (): void => {};
      if (failure === undefined) resolve();
      else reject(failure);
    }

    review = (): void => {
      clearTimeout(timer);
      const verdict = judge(screen) ?? (end && { quietMs: 0, failure: end });
      if (verdict === undefined) return;
      // what has ended stays as it is
      if (verdict.quietMs === 0 || end !== undefined) conclude(verdict);
      else timer = setTimeout(conclude, verdict.quietMs, verdict);
    };
    review();
    return promise;
  }

  return { screen, closed, until };
}
