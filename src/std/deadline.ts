/**
 * Limits on how long something is waited for.
 *
 * @module
 */

import type { Clock } from "./clock.ts";

/** A moment that can be put off, and whose signal aborts once it has passed. */
export class Deadline implements Disposable {
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  readonly #reason: () => Error;
  #atMs: number;
  #cancelTimer: () => void;

  /**
   * @param atMs On the monotonic clock.
   * @param reason Why the signal aborts; asked for when it does.
   */
  constructor(clock: Clock, atMs: number, reason: () => Error) {
    this.#clock = clock;
    this.#atMs = atMs;
    this.#reason = reason;
    this.#cancelTimer = this.#setTimer();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Does nothing if the deadline is that late already, or has passed. */
  putOff(atMs: number): void {
    if (atMs <= this.#atMs || this.signal.aborted) return;
    this.#cancelTimer();
    this.#atMs = atMs;
    this.#cancelTimer = this.#setTimer();
  }

  /** It never passes any more. */
  [Symbol.dispose](): void {
    this.#atMs = Infinity;
    this.#cancelTimer();
  }

  #setTimer(): () => void {
    const ms = Math.max(0, this.#atMs - this.#clock.monotonicMs());
    return this.#clock.setTimer(
      ms,
      () => this.#controller.abort(this.#reason()),
    );
  }
}

/** A span of time that is over once it has been counted, pauses left out. */
export class Countdown implements Disposable {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #ring: () => void;
  #countedMs = 0;
  #countsSinceMs: number | undefined;
  #cancelTimer = (): void => {};
  #isDisposed = false;

  constructor(clock: Clock, ms: number, ring: () => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.#ring = ring;
    this.#count();
  }

  /** What has been counted so far. */
  get elapsedMs(): number {
    if (this.#countsSinceMs === undefined) return this.#countedMs;
    return this.#countedMs + this.#clock.monotonicMs() - this.#countsSinceMs;
  }

  /** Counts no more until the pause is disposed. */
  pause(): Disposable {
    this.#halt();
    return { [Symbol.dispose]: () => this.#count() };
  }

  [Symbol.dispose](): void {
    this.#halt();
    this.#isDisposed = true;
  }

  #count(): void {
    if (this.#isDisposed) return; // a pause can outlive it
    this.#countsSinceMs = this.#clock.monotonicMs();
    const ms = Math.max(0, this.#ms - this.#countedMs);
    this.#cancelTimer = this.#clock.setTimer(ms, this.#ring);
  }

  #halt(): void {
    this.#cancelTimer();
    this.#countedMs = this.elapsedMs;
    this.#countsSinceMs = undefined;
  }
}

/**
 * Waits until a promise settles, but no longer than so many milliseconds.
 *
 * @throws What the promise rejects with meanwhile.
 */
export async function settledWithin(
  ms: number,
  promise: Promise<unknown>,
  clock: Clock,
): Promise<void> {
  const elapsed = Promise.withResolvers<void>();
  const cancelTimer = clock.setTimer(ms, elapsed.resolve);
  try {
    await Promise.race([promise, elapsed.promise]);
  } finally {
    cancelTimer();
  }
}
