/**
 * Times and lengths of time, as a person reads them.
 *
 * @module
 */

import type { Since } from "../model/history.ts";

/** A length of time in seconds, as precise as one needs it. */
export function formatSpan(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** Seconds spent on something, as precise as they were measured. */
export function formatDuration(seconds: number): string {
  if (seconds < 1) return `${Math.ceil(seconds * 1_000)} ms`;
  return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
}

/** A Unix time in seconds: "14:05 UTC", with the day if it is another one. */
export function formatTime(at: number, now: number): string {
  const [day, clock] = dayAndClock(at);
  const [today] = dayAndClock(now);
  return day === today ? `${clock} UTC` : `${day} ${clock} UTC`;
}

/** Until when something holds: the minute that follows, and how long it is. */
export function formatUntil(
  at: number,
  now: number,
): readonly [string, string] {
  const minute = Math.ceil(at / 60) * 60;
  return [formatTime(minute, now), formatSpan(minute - now)];
}

/** "since 14:05 UTC (12 min)"; what was so from the start, "at least". */
export function formatSince({ at, isAtLeast }: Since, now: number): string {
  const words = isAtLeast ? "since at least" : "since";
  return `${words} ${formatTime(at, now)} (${
    formatSpan(Math.max(0, now - at))
  })`;
}

function dayAndClock(at: number): readonly [day: string, clock: string] {
  const iso = new Date(at * 1_000).toISOString();
  return [iso.slice(0, 10), iso.slice(11, 16)];
}
