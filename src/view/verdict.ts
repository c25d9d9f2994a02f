/**
 * What has to be said first of all firewalls together.
 *
 * @module
 */

import { ADVICE } from "../model/advice.ts";
import { type Reason, REASONS } from "../model/poll.ts";
import type { Counts } from "../model/tunnel_group.ts";
import { formatAmount } from "../std/words.ts";
import { type FirewallView, STALE_AFTER_S } from "./firewall_view.ts";
import { formatSpan } from "./format.ts";
import { addCounts, type Tone } from "./tunnel_condition.ts";

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
    const finding = `${formatAmount(pending, "firewall")} not polled yet`;
    return { tone: "idle", findings: [finding] };
  }
  const { up } = countServing(views);
  if (up === 0) {
    const finding = `${formatAmount(views.length, "firewall")} on standby`;
    return { tone: "idle", findings: [finding] };
  }
  const finding = `${formatAmount(up, "tunnel")} up`;
  return { tone: "good", findings: [up === 1 ? finding : `All ${finding}`] };
}

function findFaults(views: readonly FirewallView[]): readonly string[] {
  const counts = countServing(views);
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
      amount((view) => view.areLoginsHeld && view.isPending),
      "firewall",
      "not polled yet, with logins held",
    ],
    // "with logins held" is said of those above, which are dark
    [
      amount((view) => view.areLoginsHeld && view.status.poll?.ok === true),
      "firewall",
      "served over open sessions only",
    ],
    [
      amount((view) => view.isStale),
      "firewall",
      `not polled for over ${formatSpan(STALE_AFTER_S)}`,
    ],
  ];
  return faults.filter(([amount]) => amount > 0)
    .map(([amount, noun, what]) => `${formatAmount(amount, noun)} ${what}`);
}

/** Firewalls by what is found of them, in the order of the reasons. */
function failuresOf(
  views: readonly FirewallView[],
): readonly (readonly [finding: string, amount: number])[] {
  const amounts = new Map<string, number>();
  for (const reason of reasonsOf(views)) {
    const { finding } = ADVICE[reason];
    const amount = views.filter(({ failure }) =>
      failure?.reason === reason
    ).length;
    amounts.set(finding, (amounts.get(finding) ?? 0) + amount);
  }
  return [...amounts];
}

/** Why firewalls fail: each reason once. */
export function reasonsOf(views: readonly FirewallView[]): readonly Reason[] {
  const found = new Set(views.map(({ failure }) => failure?.reason));
  return REASONS.filter((reason) => found.has(reason));
}

/** The tunnels of firewalls that are to carry traffic. */
export function countServing(views: readonly FirewallView[]): Counts {
  return addCounts(
    views.filter((view) => !view.isStandby).map(({ counts }) => counts),
  );
}
