/**
 * A moment that can be put off.
 *
 * @module
 */

import { setAlarm } from "./alarm.ts";

export interface Deadline {
  /** Settles once the deadline has passed. */
  readonly passed: Promise<void>;
  /** Moves the deadline to at least this far from now. */
  extend(ms: number): void;
  /** Forgets it: it never passes. */
  clear(): void;
}

/** Sets a deadline. */
export function createDeadline(ms: number): Deadline {
  const { promise, resolve } = Promise.withResolvers<void>();
  let at = -Infinity;
  let cancel = (): void => {};

  function extend(ms: number): void {
    const later = performance.now() + ms;
    if (later <= at) return;
    cancel();
    at = later;
    cancel = setAlarm(ms, resolve);
  }

  function clear(): void {
    at = Infinity;
    cancel();
  }

  extend(ms);
  return { passed: promise, extend, clear };
}
