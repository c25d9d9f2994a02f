/**
 * The two clocks of a computer, as one value that a test can replace.
 *
 * @module
 */

/** Ages are measured on the monotonic clock, and only shown on the other. */
export interface Clock {
  /** Milliseconds since some moment; never set back. */
  monotonicMs(): number;
  /** Unix time in seconds. */
  unixSeconds(): number;
}

/** The clocks of this computer. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  unixSeconds: () => Date.now() / 1_000,
};
