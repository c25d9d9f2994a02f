/**
 * Where the time of a poll goes.
 *
 * @module
 */

import type { Clock } from "../std/clock.ts";
import type { Durations, Phase } from "./poll.ts";

/** Of a poll that has not begun. */
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
 * only the time in which the poll waited counts.
 */
export class Stopwatch {
  readonly #clock: Clock;
  readonly #spentMs: Record<Phase, number> = { ...NO_DURATIONS };
  #phase: Phase | undefined;
  #sinceMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins a phase, and ends the one before it. */
  begin(phase: Phase): void {
    this.stop();
    this.#phase = phase;
    this.#sinceMs = this.#clock.monotonicMs();
  }

  /** Ends the phase under way, if there is one. */
  stop(): void {
    if (this.#phase !== undefined) {
      this.#spentMs[this.#phase] += this.#clock.monotonicMs() - this.#sinceMs;
    }
    this.#phase = undefined;
  }

  /** What was spent so far, also on the phase under way. */
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

/** Rounds to microseconds: the clock is no finer, and the page reads better. */
export function toSeconds(ms: number): number {
  return Math.round(ms * 1_000) / 1_000_000;
}
