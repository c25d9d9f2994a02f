/**
 * Time, as one value that a test can replace.
 *
 * @module
 */

/** Ages are measured on the monotonic clock, and only shown on the other. */
export interface Clock {
  /** Milliseconds since some moment; never set back. */
  monotonicMs(): number;
  /** Unix time in seconds. */
  unixSeconds(): number;
  /**
   * Calls back once, so many milliseconds from now.
   *
   * @returns What cancels it.
   */
  setTimer(ms: number, ring: () => void): () => void;
}

/** The time of this computer. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  unixSeconds: () => Date.now() / 1_000,
  setTimer(ms, ring): () => void {
    const timer = setTimeout(ring, ms);
    return () => clearTimeout(timer);
  },
};

/** Settles after so many milliseconds. */
export async function delay(ms: number, clock: Clock): Promise<void> {
  await new Promise<void>((resolve) => clock.setTimer(ms, resolve));
}
