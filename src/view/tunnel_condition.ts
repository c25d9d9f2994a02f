/**
 * How bad the condition of a tunnel is, and counts of them in words.
 *
 * @module
 */

import {
  type Condition,
  CONDITIONS,
  type Counts,
  NO_COUNTS,
} from "../model/tunnel_group.ts";
import { formatAmount, formatCount } from "../std/words.ts";

/** How bad something is, worst first; also the classes of the style sheet. */
export const TONES = ["bad", "warn", "idle", "good"] as const;
/** One of them. */
export type Tone = (typeof TONES)[number];

/** How bad a condition is. */
export const TONE_OF: Readonly<Record<Condition, Tone>> = {
  "down": "bad",
  "lost": "bad",
  "monitor down": "bad",
  "partly down": "warn",
  "unknown": "warn",
  "not established": "warn",
  "up": "good",
};

/** The counts of several firewalls together. */
export function addCounts(all: readonly Counts[]): Counts {
  const sums = { ...NO_COUNTS };
  for (const counts of all) {
    for (const condition of CONDITIONS) sums[condition] += counts[condition];
  }
  return sums;
}

/** How many tunnels there are in all conditions together. */
export function total(counts: Counts): number {
  return CONDITIONS.reduce((sum, condition) => sum + counts[condition], 0);
}

/** Counts in words: "7 tunnels: 3 up, 2 down". */
export function describeCounts(counts: Counts): string {
  const amount = total(counts);
  if (amount === 0) return "no tunnels";
  const parts = [`${formatCount(counts.up)} up`];
  for (const condition of CONDITIONS) {
    if (condition === "up" || counts[condition] === 0) continue;
    const words = condition === "monitor down"
      ? "up with the monitor down"
      : condition;
    parts.push(`${formatCount(counts[condition])} ${words}`);
  }
  return `${formatAmount(amount, "tunnel")}: ${parts.join(", ")}`;
}
