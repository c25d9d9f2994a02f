/**
 * Time that passes from event to event. Which of two events at the same
 * instant comes first, and how many microtasks the other falls behind it, is
 * chance, and replays from its seed.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { Clock } from "../../src/std/clock.ts";
import type { Random } from "./random.ts";

interface Timer {
  readonly atMs: number;
  /** The order of those that fall on the same instant. */
  readonly rank: number;
  readonly run: () => void;
}

/** An event falls up to so many microtasks behind another. */
const MAX_MICROTASKS = 5;

/** More than the exporter needs to draw the conclusion from a failed login. */
const CONCLUSION_MICROTASKS = 10;

/** 2026-01-05 09:00:00 UTC. */
const START_SECONDS = 1_767_603_600;

/** The time of one world. */
export class SimulatedTime {
  readonly #random: Random;
  readonly #timers: Timer[] = [];
  readonly #ofCore = new Set<Timer>();
  #now = 0;
  /** Failed logins from which the exporter is drawing the conclusion. */
  #conclusions = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Milliseconds since the start of the world. */
  get now(): number {
    return this.#now;
  }

  /** Timers of the exporter that wait. */
  get coreTimers(): number {
    return this.#ofCore.size;
  }

  /** What the exporter is given. */
  readonly clock: Clock = {
    monotonicMs: () => this.#now,
    unixSeconds: () => START_SECONDS + this.#now / 1_000,
    setTimer: (ms, ring): () => void => {
      const timer = this.#add(ms, () => {
        this.#ofCore.delete(timer);
        ring();
      });
      this.#ofCore.add(timer);
      return () => {
        this.#ofCore.delete(timer);
        this.#remove(timer);
      };
    },
  };

  /** Has something happen in the world. */
  after(ms: number, run: () => void): void {
    this.#add(ms, run);
  }

  /** Waits, and a few microtasks more. */
  async take(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.after(ms, resolve);
    await promise;
    await this.lag();
  }

  /** Waits for 0 to 5 microtasks. */
  async lag(): Promise<void> {
    const microtasks = this.#random.below(MAX_MICROTASKS + 1);
    for (let task = 0; task < microtasks; task++) await undefined;
  }

  /** A login has failed, and the exporter is about to learn of it. */
  async concludes(): Promise<void> {
    this.#conclusions++;
    for (let task = 0; task < CONCLUSION_MICROTASKS; task++) await undefined;
    this.#conclusions--;
  }

  /**
   * Whether the exporter is drawing the conclusion from a failed login.
   *
   * For the guard that login counts a few microtasks after it has failed. An
   * acceptance or a reload that comes between counts before it, which is as
   * right as behind it; who waits for this lets the witness count as the
   * exporter does. The other order is that in which the login fails later.
   */
  get isConcluding(): boolean {
    return this.#conclusions > 0;
  }

  /**
   * Lets time pass.
   *
   * @param onSettled Called whenever all has happened that needs no time;
   * says whether to stop there.
   */
  async pass(ms: number, onSettled: () => boolean): Promise<void> {
    const by = this.#now + ms;
    for (;;) {
      const next = this.#timers.at(-1);
      if (next === undefined || next.atMs > by) break;
      this.#now = next.atMs;
      await this.#runInstant();
      if (onSettled()) return;
    }
    this.#now = by;
  }

  async #runInstant(): Promise<void> {
    for (;;) {
      const next = this.#timers.at(-1);
      const isDue = next !== undefined && next.atMs <= this.#now;
      if (isDue) {
        this.#timers.pop();
        next.run();
      }
      // one of those that were due may have been cancelled meanwhile
      if (isDue && this.#random.below(4) > 0) await this.lag();
      else await settle();
      if (!isDue && (this.#timers.at(-1)?.atMs ?? Infinity) > this.#now) return;
    }
  }

  #add(ms: number, run: () => void): Timer {
    const atMs = this.#now + Math.max(0, ms);
    const timer = { atMs, rank: this.#random.below(2 ** 32), run };
    let index = this.#timers.length;
    while (index > 0 && isBefore(this.#timers[index - 1], timer)) index--;
    this.#timers.splice(index, 0, timer);
    return timer;
  }

  #remove(timer: Timer): void {
    const index = this.#timers.indexOf(timer);
    if (index >= 0) this.#timers.splice(index, 1);
  }
}

/** The next one stands last. */
function isBefore(one: Timer | undefined, other: Timer): boolean {
  if (one === undefined) return false;
  return one.atMs === other.atMs
    ? one.rank < other.rank
    : one.atMs < other.atMs;
}

/** Lets everything happen that needs no time. */
async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
