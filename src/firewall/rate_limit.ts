/**
 * A limit on how often something starts.
 *
 * @module
 */

import { untilAborted } from "../std/abort.ts";

/** Settles when it is the caller's turn; rejects with the signal's reason. */
export type Pace = (signal: AbortSignal) => Promise<void>;

/**
 * Creates a function that settles at most once an interval, in the order of
 * its calls; at once after a pause.
 */
export function createPace(intervalMs: number): Pace {
  let next = 0;
  return async (signal) => {
    signal.throwIfAborted();
    const now = performance.now();
    const at = Math.max(now, next);
    next = at + intervalMs;
    if (at === now) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, at - now);
    try {
      await untilAborted(promise, signal);
    } finally {
      clearTimeout(timer);
    }
  };
}
