/**
 * Configurations of Prometheus and Alertmanager in which every duration is
 * divided by the same number, so that a night passes in a minute.
 *
 * @module
 */

const MILLISECONDS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A duration where rules, scrape configurations and routes have them. */
const DURATION =
  /(?<before>(?:for|interval|timeout|group_wait|\w+_interval|\w+_timeout): |\[|offset )(?<count>\d+)(?<unit>[smhd])\b/g;

/** Divides each duration of a text; at least one has to be there. */
export function divideDurations(text: string, divisor: number): string {
  let found = 0;
  const divided = text.replaceAll(DURATION, (...match) => {
    found++;
    const { before, count, unit } = match.at(-1);
    const milliseconds = Number(count) * (MILLISECONDS[unit] ?? NaN);
    return `${before}${Math.round(milliseconds / divisor)}ms`;
  });
  if (found === 0) throw new Error("Cannot divide durations: there is none");
  return divided;
}
