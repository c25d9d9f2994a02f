/**
 * Time that passes when a test says so: `setTimeout`, `clearTimeout` and
 * `performance.now`, for code that opens no socket.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { Clock } from "../../src/std/clock.ts";

/** Time stands still until it is let pass; disposed, it runs again. */
export interface FakeTime extends Disposable {
  /** Milliseconds since the start of the test. */
  readonly now: number;
  /** The same time, for code that is given a clock. */
  readonly clock: Clock;
  /** Timers that wait. */
  readonly timers: number;
  /** Lets everything happen that needs no time. */
  settle(): Promise<void>;
  pass(ms: number): Promise<void>;
  /**
   * Lets time pass from timer to timer until a promise settles.
   *
   * @throws {Error} If it never will, as there is no timer any more.
   */
  until<Value>(promise: Promise<Value>): Promise<Value>;
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** Turns of the event loop in which everything has happened. */
const TURNS = 3;

/** How often nothing may happen before nothing ever will. */
const MAX_IDLE = 10;

/** Stops time for the test. */
export function stopTime(): FakeTime {
  const real = { setTimeout, clearTimeout };
  const timers = new Map<number, Timer>();
  let now = 0;
  let lastId = 0;

  function fakeSetTimeout<Args extends unknown[]>(
    callback: (...args: Args) => void,
    ms = 0,
    ...args: Args
  ): number {
    timers.set(++lastId, { at: now + ms, run: () => callback(...args) });
    return lastId;
  }

  async function settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** Runs the next timer if it is due by then. */
  async function runNext(by: number): Promise<boolean> {
    const [next] = [...timers].sort(([, one], [, other]) => one.at - other.at);
    if (next === undefined || next[1].at > by) return false;
    const [id, { at, run }] = next;
    timers.delete(id);
    now = Math.max(now, at);
    run();
    await settle();
    return true;
  }

  globalThis.setTimeout = fakeSetTimeout as unknown as typeof setTimeout;
  globalThis.clearTimeout = (id) => void timers.delete(Number(id));
  Object.defineProperty(performance, "now", {
    configurable: true,
    value: () => now,
  });

  return {
    get now() {
      return now;
    },
    clock: {
      monotonicMs: () => now,
      unixSeconds: () => START_SECONDS + now / 1_000,
      setTimer(ms, ring): () => void {
        const timer = fakeSetTimeout(ring, ms);
        return () => void timers.delete(timer);
      },
    },
    get timers() {
      return timers.size;
    },
    settle,
    async pass(ms): Promise<void> {
      const by = now + ms;
      await settle();
      while (await runNext(by));
      now = by;
    },
    async until<Value>(promise: Promise<Value>): Promise<Value> {
      let isSettled = false;
      const settled = (): void => void (isSettled = true);
      promise.then(settled, settled);
      await settle();
      for (let idle = 0; !isSettled && idle < MAX_IDLE; idle++) {
        if (await runNext(Infinity)) idle = 0;
        else await settle();
      }
      if (!isSettled) {
        throw new Error("Cannot wait: nothing will ever happen any more");
      }
      return await promise;
    },
    [Symbol.dispose](): void {
      Object.assign(globalThis, real);
      Reflect.deleteProperty(performance, "now");
    },
  };
}

/** 2026-01-05 09:00:00 UTC. */
const START_SECONDS = 1_767_603_600;
