/**
 * What the rows of a tunnel come to: is it up, and if not, how bad is that.
 *
 * The log, the page, the alerts and the dashboard count by the same rules.
 *
 * @module
 */

import type { Sighting, Since } from "./history.ts";
import {
  monitorInWords,
  stateInWords,
  type StateWord,
} from "./tunnel_words.ts";

/** Seconds within which a tunnel that was up counts as lost. */
const LOST_WITHIN_S = 86_400;

/** What a tunnel can be said to be, worst first. */
export const CONDITIONS = [
  "down",
  "lost",
  "monitor down",
  "partly down",
  "unknown",
  "not established",
  "up",
] as const;
/** One of them. */
export type Condition = (typeof CONDITIONS)[number];
/** How many tunnels are in each condition. */
export type Counts = Readonly<Record<Condition, number>>;

/** A tunnel: one row, or one for each of its proxy IDs. */
export interface TunnelGroup {
  readonly name: string;
  readonly condition: Condition;
  /** Those that count; the row without a proxy ID may be left out. */
  readonly rows: readonly Sighting[];
}

/** Since when a tunnel is in its condition: since its last row has changed. */
export function sinceOfTunnel({ rows }: TunnelGroup): Since {
  return rows.map(({ since }) => since)
    .reduce((one, other) => one.at >= other.at ? one : other);
}

/**
 * Puts the rows of each tunnel together, the worst tunnel first.
 *
 * With proxy IDs a tunnel has a row for each, `tunnel:proxyid`. Its row without
 * one may be missing, or say inactive for ever: it is left out beside them.
 *
 * @param now Unix time in seconds.
 */
export function groupTunnels(
  sightings: readonly Sighting[],
  now: number,
): readonly TunnelGroup[] {
  const bare = new Map<string, Sighting[]>();
  const proxies = new Map<string, Sighting[]>();
  for (const sighting of sightings) {
    const { name } = sighting.tunnel;
    const colon = name.indexOf(":", 1);
    const hasProxyId = colon !== -1 && colon < name.length - 1;
    const key = hasProxyId ? name.slice(0, colon) : name;
    const groups = hasProxyId ? proxies : bare;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [sighting]);
    else group.push(sighting);
  }
  const groups = new Map([...bare, ...proxies]);
  return Array.from(groups, ([name, rows]) => ({
    name,
    condition: conditionOf(rows, now),
    rows,
  })).sort((one, other) =>
    CONDITIONS.indexOf(one.condition) - CONDITIONS.indexOf(other.condition)
  );
}

/** One row that is up makes a tunnel up; else one that is down makes it down. */
function conditionOf(rows: readonly Sighting[], now: number): Condition {
  const words = wordsBySeries(rows);
  if (words.includes("up")) {
    const monitors = rows.map(({ tunnel }) => monitorInWords(tunnel));
    const isDead = monitors.includes("down") && !monitors.includes("up");
    if (isDead) return "monitor down";
    return words.includes("down") ? "partly down" : "up";
  }
  if (words.includes("down")) return "down";
  const isLost = rows.some(({ lastUpAt }) =>
    lastUpAt !== undefined && now - lastUpAt < LOST_WITHIN_S
  );
  if (isLost) return "lost";
  return words.includes("not established") ? "not established" : "unknown";
}

/** From good to bad: of the rows of one series, the last of these counts. */
const WORDS: readonly StateWord[] = [
  "up",
  "down",
  "unknown",
  "not established",
];

/** Rows of one name and interface are one: the worse word of theirs counts. */
function wordsBySeries(
  rows: readonly Sighting[],
): readonly StateWord[] {
  const [only, second] = rows;
  if (only !== undefined && second === undefined) {
    return [stateInWords(only.tunnel)];
  }
  const words = new Map<string, StateWord>();
  for (const { tunnel } of rows) {
    const key = `${tunnel.interfaceName} ${tunnel.name}`;
    const word = stateInWords(tunnel);
    const other = words.get(key) ?? word;
    words.set(
      key,
      WORDS.indexOf(word) > WORDS.indexOf(other) ? word : other,
    );
  }
  return [...words.values()];
}

/** The counts of a firewall that does not answer. */
export const NO_COUNTS: Counts = {
  "down": 0,
  "lost": 0,
  "monitor down": 0,
  "partly down": 0,
  "unknown": 0,
  "not established": 0,
  "up": 0,
};

/** How many tunnels are in each condition. */
export function countConditions(tunnels: readonly TunnelGroup[]): Counts {
  const counts = { ...NO_COUNTS };
  for (const { condition } of tunnels) counts[condition]++;
  return counts;
}
