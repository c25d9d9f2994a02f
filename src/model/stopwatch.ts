/**
 * Where the time of a poll goes.
 *
 * @module
 */

import type { Durations, Phase } from "./poll.ts";

/** The moment at which a phase began; the next mark ends it. */
export interface Mark {
  readonly phase: Phase;
  /** Monotonic, in milliseconds. */
  readonly at: number;
}

/**
 * Seconds that each phase took between two moments.
 *
 * A login may have begun before the poll that waits for it, or go on after it:
 * only what lies between the two counts.
 *
 * @param marks In the order of time; the last phase lasts until `to`.
 */
export function durationsBetween(
  marks: readonly Mark[],
  from: number,
  to: number,
): Durations {
  const seconds = { connect: 0, handshake: 0, auth: 0, session: 0, command: 0 };
  for (const [index, { phase, at }] of marks.entries()) {
    const begin = Math.max(from, at);
    const end = Math.min(to, marks[index + 1]?.at ?? to);
    seconds[phase] += toSeconds(Math.max(0, end - begin));
  }
  return seconds;
}

/** Whole microseconds: the clock tells no more, and the page reads better. */
export function toSeconds(ms: number): number {
  return Math.round(ms * 1_000) / 1_000_000;
}
