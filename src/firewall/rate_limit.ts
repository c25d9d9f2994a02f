/**
 * A limit on how often something starts.
 *
 * @module
 */

import { untilAborted } from "../std/abort.ts";
import type { Clock } from "../std/clock.ts";

/** Settles when the caller may start; rejects with the signal's reason. */
export type RateLimit = (signal: AbortSignal) => Promise<void>;

/**
 * Creates a function that settles at most once an interval, in the order of
 * its calls; at once after a pause.
 */
export function createRateLimit(intervalMs: number, clock: Clock): RateLimit {
  let nextAtMs = -Infinity;
  return async (signal) => {
    signal.throwIfAborted();
    const nowMs = clock.monotonicMs();
    const startAtMs = Math.max(nowMs, nextAtMs);
    nextAtMs = startAtMs + intervalMs;
    if (startAtMs === nowMs) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancelTimer = clock.setTimer(startAtMs - nowMs, resolve);
    try {
      await untilAborted(promise, signal);
    } finally {
      cancelTimer();
    }
  };
}
