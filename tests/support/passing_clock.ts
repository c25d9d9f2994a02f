/**
 * The time of this computer, which a test can let pass: for limits that a real
 * server is to exceed.
 *
 * @module
 */

import { type Clock, systemClock } from "../../src/std/clock.ts";

export interface PassingClock extends Clock {
  /** Lets time pass at once, and rings whatever is due then. */
  pass(ms: number): void;
}

export function createPassingClock(): PassingClock {
  let aheadMs = 0;
  const alarms = new Map<() => void, number>();
  const monotonicMs = (): number => systemClock.monotonicMs() + aheadMs;
  return {
    monotonicMs,
    unixSeconds: () => systemClock.unixSeconds() + aheadMs / 1_000,
    setTimer(ms, ring): () => void {
      const cancel = (): void => {
        cancelReal();
        alarms.delete(alarm);
      };
      const alarm = (): void => {
        cancel();
        ring();
      };
      const cancelReal = systemClock.setTimer(ms, alarm);
      alarms.set(alarm, monotonicMs() + ms);
      return cancel;
    },
    pass(ms): void {
      aheadMs += ms;
      for (const [alarm, atMs] of [...alarms]) {
        if (atMs <= monotonicMs()) alarm();
      }
    },
  };
}
