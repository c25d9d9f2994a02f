/**
 * What is concluded from the last polls: which tunnel is up, which firewall
 * needs somebody, and what has to be said first.
 *
 * The alerts and the dashboard count by the same rules.
 *
 * @module
 */

import { ADVICE } from "../model/advice.ts";
import { isFaulty, isStandby } from "../model/high_availability.ts";
import type { Sighting, Since } from "../model/history.ts";
import { type Reason, REASONS, type Status } from "../model/poll.ts";
import { monitorInWords, stateInWords } from "../model/tunnel_words.ts";
import { count, plural, span } from "./format.ts";

/** Seconds after which Prometheus forgets a series. */
const STALE_AFTER = 300;

/** Seconds within which a tunnel that was up counts as lost. */
const LOST_WITHIN = 86_400;

/** How bad something is, worst first; also the classes of the style sheet. */
export const TONES = ["bad", "warn", "idle", "good"] as const;
export type Tone = (typeof TONES)[number];

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
export type Condition = (typeof CONDITIONS)[number];
export type Counts = Readonly<Record<Condition, number>>;

export const TONE_OF: Readonly<Record<Condition, Tone>> = {
  "down": "bad",
  "lost": "bad",
  "monitor down": "bad",
  "partly down": "warn",
  "unknown": "warn",
  "not established": "warn",
  "up": "good",
};

/** A tunnel: one row, or one for each of its proxy IDs. */
export interface TunnelGroup {
  readonly name: string;
  readonly condition: Condition;
  /** Those that count; the row without a proxy ID may be left out. */
  readonly rows: readonly Sighting[];
}

/** A firewall with what is concluded about it. */
export interface FirewallView {
  readonly status: Status;
  /** As last read, worst first. */
  readonly tunnels: readonly TunnelGroup[];
  /** Of a firewall that answers; all 0 for another. */
  readonly counts: Counts;
  /** Of the firewall and its tunnels together. */
  readonly tone: Tone;
  readonly isFailing: boolean;
  readonly isPending: boolean;
  /** It carries no traffic by design: what its tunnels say means nothing. */
  readonly isStandby: boolean;
  /** It should carry traffic and cannot. */
  readonly isFaulty: boolean;
  /** Its data plane may be gone while its management plane answers. */
  readonly isEmpty: boolean;
  readonly isStale: boolean;
  readonly areLoginsHeld: boolean;
  /** Since when it is what it is, as far as that is known. */
  readonly since: Since | undefined;
}

/** Draws the conclusions about one firewall. */
export function toView(status: Status, now: number): FirewallView {
  const { poll, history } = status;
  const tunnels = groupTunnels(history.sightings, now);
  const isFailing = poll?.ok === false;
  const haState = history.haState;
  const standby = haState !== undefined && isStandby(haState);
  const flags = {
    isFailing,
    isPending: poll === undefined,
    isStandby: standby && !isFailing,
    isFaulty: haState !== undefined && isFaulty(haState) && !isFailing,
    isEmpty: poll?.ok === true && tunnels.length === 0 && !standby,
    isStale: poll !== undefined && now - poll.finishedAt > STALE_AFTER,
    areLoginsHeld: (status.authRetryAt ?? 0) > now,
  };
  const counts = poll?.ok ? countConditions(tunnels) : NO_COUNTS;
  return {
    status,
    tunnels,
    counts,
    tone: toneOf(flags, counts),
    since: sinceOf(status, tunnels),
    ...flags,
  };
}

type Flags = Pick<
  FirewallView,
  | "isFailing"
  | "isFaulty"
  | "isStandby"
  | "isEmpty"
  | "isStale"
  | "areLoginsHeld"
>;

function toneOf(flags: Flags, counts: Counts): Tone {
  if (flags.isFailing || flags.isFaulty) return "bad";
  const worst = CONDITIONS.find((condition) => counts[condition] > 0);
  const tone = worst === undefined || flags.isStandby ? "idle" : TONE_OF[worst];
  const isOdd = flags.isEmpty || flags.isStale || flags.areLoginsHeld;
  return isOdd && tone !== "bad" ? "warn" : tone;
}

function sinceOf(
  { history }: Status,
  tunnels: readonly TunnelGroup[],
): Since | undefined {
  const { failing } = history;
  if (failing !== undefined) return { at: failing.sinceAt, isAtLeast: false };
  const [worst] = tunnels;
  if (worst === undefined || worst.condition === "up") return undefined;
  return tunnels.filter(({ condition }) => condition === worst.condition)
    .map(sinceOfTunnel)
    .reduce((one, other) => one.at <= other.at ? one : other);
}

/** Since when a tunnel is what it is: its last row to become so. */
export function sinceOfTunnel({ rows }: TunnelGroup): Since {
  return rows.map(({ since }) => since)
    .reduce((one, other) => one.at >= other.at ? one : other);
}

/** Rank on the page: a firewall that does not answer hides all its tunnels. */
export function urgencyOf(view: FirewallView): number {
  const { status: { poll }, isFailing, tone } = view;
  if (isFailing) return poll?.ok === false && poll.reason === "held" ? 1 : 0;
  // A standby is as well as any other: these stand in their own order.
  return isWell(view) ? TONES.length + 2 : TONES.indexOf(tone) + 2;
}

/** Whether there is nothing about it that somebody has to look at. */
export function isWell({ tone, isPending }: FirewallView): boolean {
  return !isPending && (tone === "good" || tone === "idle");
}

/**
 * Tunnels of the rows, worst first. With proxy IDs a tunnel has a row for
 * each, `tunnel:proxyid`; its bare row may read inactive for ever, and may be
 * missing, so that it is left out beside them.
 */
function groupTunnels(
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

/** Anything that passes makes a tunnel up; else anything that is down, down. */
function conditionOf(rows: readonly Sighting[], now: number): Condition {
  const words = wordsBySeries(rows);
  if (words.includes("up")) {
    const monitors = rows.map(({ tunnel }) => monitorInWords(tunnel))
      .filter((monitor) => monitor !== undefined);
    const isDead = monitors.length > 0 && !monitors.includes("up");
    if (isDead) return "monitor down";
    return words.includes("down") ? "partly down" : "up";
  }
  if (words.includes("down")) return "down";
  const isLost = rows.some(({ lastUpAt }) =>
    lastUpAt !== undefined && now - lastUpAt < LOST_WITHIN
  );
  if (isLost) return "lost";
  return words.includes("not established") ? "not established" : "unknown";
}

const WORDS = ["up", "down", "unknown", "not established"] as const;

/** Rows of one name and interface are one: the worse word of theirs counts. */
function wordsBySeries(
  rows: readonly Sighting[],
): readonly (typeof WORDS)[number][] {
  const [only, second] = rows;
  if (only !== undefined && second === undefined) {
    return [stateInWords(only.tunnel)];
  }
  const words = new Map<string, (typeof WORDS)[number]>();
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

const NO_COUNTS: Counts = {
  "down": 0,
  "lost": 0,
  "monitor down": 0,
  "partly down": 0,
  "unknown": 0,
  "not established": 0,
  "up": 0,
};

function countConditions(tunnels: readonly TunnelGroup[]): Counts {
  const counts = { ...NO_COUNTS };
  for (const { condition } of tunnels) counts[condition]++;
  return counts;
}

/** The counts of several firewalls together. */
export function addCounts(views: readonly FirewallView[]): Counts {
  const counts = { ...NO_COUNTS };
  for (const view of views) {
    for (const condition of CONDITIONS) {
      counts[condition] += view.counts[condition];
    }
  }
  return counts;
}

export function total(counts: Counts): number {
  return CONDITIONS.reduce((sum, condition) => sum + counts[condition], 0);
}

/** What has to be known first: the heading, and the tab of the browser. */
export interface Verdict {
  readonly tone: Tone;
  readonly findings: readonly string[];
}

/** @param views The worst one first. */
export function toVerdict(views: readonly FirewallView[]): Verdict {
  const faults = findFaults(views);
  const [worst] = views;
  if (worst !== undefined && faults.length > 0) {
    return { tone: worst.tone, findings: faults };
  }
  const pending = views.filter(({ isPending }) => isPending).length;
  if (pending > 0) {
    const finding = `${plural(pending, "firewall")} not polled yet`;
    return { tone: "idle", findings: [finding] };
  }
  const { up } = addCounts(views.filter((view) => !view.isStandby));
  if (up === 0) {
    const finding = `${plural(views.length, "firewall")} on standby`;
    return { tone: "idle", findings: [finding] };
  }
  const finding = `${plural(up, "tunnel")} up`;
  return { tone: "good", findings: [up === 1 ? finding : `All ${finding}`] };
}

function findFaults(views: readonly FirewallView[]): readonly string[] {
  const counts = addCounts(views.filter((view) => !view.isStandby));
  const amount = (test: (view: FirewallView) => boolean): number =>
    views.filter(test).length;
  const failing = failuresOf(views).map(([finding, amount]) =>
    [amount, "firewall", finding] as const
  );
  const faults: readonly (readonly [number, string, string])[] = [
    ...failing,
    [amount((view) => view.isFaulty), "firewall", "unable to carry traffic"],
    [counts.down, "tunnel", "down"],
    [counts.lost, "tunnel", "lost"],
    [counts["monitor down"], "tunnel", "up with the monitor down"],
    [counts["partly down"], "tunnel", "partly down"],
    [counts.unknown, "tunnel", "unknown"],
    [counts["not established"], "tunnel", "not established"],
    [amount((view) => view.isEmpty), "firewall", "without tunnels"],
    [
      amount((view) => view.areLoginsHeld && !view.isFailing),
      "firewall",
      "with logins held",
    ],
    [
      amount((view) => view.isStale),
      "firewall",
      `not polled for over ${span(STALE_AFTER)}`,
    ],
  ];
  return faults.filter(([amount]) => amount > 0)
    .map(([amount, noun, what]) => `${plural(amount, noun)} ${what}`);
}

/** Firewalls by what is found of them, in the order of the reasons. */
function failuresOf(
  views: readonly FirewallView[],
): readonly (readonly [finding: string, amount: number])[] {
  const amounts = new Map<string, number>();
  for (const reason of reasonsOf(views)) {
    const { finding } = ADVICE[reason];
    const amount = views.filter(({ status: { poll } }) =>
      poll?.ok === false && poll.reason === reason
    ).length;
    amounts.set(finding, (amounts.get(finding) ?? 0) + amount);
  }
  return [...amounts];
}

/** Why firewalls fail: each reason once. */
export function reasonsOf(views: readonly FirewallView[]): readonly Reason[] {
  const found = new Set(
    views.map(({ status: { poll } }) =>
      poll?.ok === false ? poll.reason : undefined
    ),
  );
  return REASONS.filter((reason) => found.has(reason));
}

/** Counts in words: "7 tunnels: 3 up, 2 down". */
export function describeCounts(counts: Counts): string {
  const amount = total(counts);
  if (amount === 0) return "no tunnels";
  const parts = [`${count(counts.up)} up`];
  for (const condition of CONDITIONS) {
    if (condition === "up" || counts[condition] === 0) continue;
    const words = condition === "monitor down"
      ? "up with the monitor down"
      : condition;
    parts.push(`${count(counts[condition])} ${words}`);
  }
  return `${plural(amount, "tunnel")}: ${parts.join(", ")}`;
}
