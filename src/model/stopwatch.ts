/**
 * Where the time of a poll goes.
 *
 * @module
 */

import type { Clock } from "../std/clock.ts";
import type { Durations, Phase } from "./poll.ts";

/** What a poll took that has not begun. */
export const NO_DURATIONS: Durations = {
  connect: 0,
  handshake: 0,
  auth: 0,
  session: 0,
  command: 0,
};

/**
 * Adds up what a poll spends in each phase.
 *
 * A login may have begun before the poll that waits for it, or go on after it:
 * only what the poll was there for counts.
 */
export class Stopwatch {
  readonly #clock: Clock;
  readonly #spentMs: Record<Phase, number> = { ...NO_DURATIONS };
  #phase: Phase | undefined;
  #sinceMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The phase before it ends. */
  begin(phase: Phase): void {
    this.stop();
    this.#phase = phase;
    this.#sinceMs = this.#clock.monotonicMs();
  }

  stop(): void {
    if (this.#phase !== undefined) {
      this.#spentMs[this.#phase] += this.#clock.monotonicMs() - this.#sinceMs;
    }
    this.#phase = undefined;
  }

  /** So far, with what the phase under way has taken. */
  get durations(): Durations {
    if (this.#phase !== undefined) this.begin(this.#phase);
    const { connect, handshake, auth, session, command } = this.#spentMs;
    return {
      connect: toSeconds(connect),
      handshake: toSeconds(handshake),
      auth: toSeconds(auth),
      session: toSeconds(session),
      command: toSeconds(command),
    };
  }
}

/** Whole microseconds: the clock tells no more, and the page reads better. */
export function toSeconds(ms: number): number {
  return Math.round(ms * 1_000) / 1_000_000;
}
