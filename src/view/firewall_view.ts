/**
 * What is concluded about one firewall from its last polls.
 *
 * @module
 */

import { isFaulty, isStandby } from "../model/high_availability.ts";
import type { Since } from "../model/history.ts";
import type { FailedPoll, Status } from "../model/poll.ts";
import {
  CONDITIONS,
  countConditions,
  type Counts,
  groupTunnels,
  NO_COUNTS,
  sinceOfTunnel,
  type TunnelGroup,
} from "../model/tunnel_group.ts";
import { type Tone, TONE_OF, TONES } from "./tunnel_condition.ts";

/** Seconds after which Prometheus forgets a series. */
export const STALE_AFTER_S = 300;

/** A firewall with what is concluded about it. */
export interface FirewallView {
  readonly status: Status;
  /** As last read, worst first. */
  readonly tunnels: readonly TunnelGroup[];
  /** How many tunnels are in each condition; all 0 if it does not answer. */
  readonly counts: Counts;
  /** How bad the firewall and its tunnels are, together. */
  readonly tone: Tone;
  /** Its last poll, if that failed. */
  readonly failure: FailedPoll | undefined;
  /** It was not polled yet. */
  readonly isPending: boolean;
  /** It carries no traffic by design: what its tunnels say means nothing. */
  readonly isStandby: boolean;
  /** It should carry traffic and cannot. */
  readonly isFaulty: boolean;
  /** Its data plane may be gone while its management plane answers. */
  readonly isEmpty: boolean;
  /** Its last poll is so old that Prometheus has forgotten it. */
  readonly isStale: boolean;
  /** It gets no login for now, whoever rejected one. */
  readonly areLoginsHeld: boolean;
  /** Since when it is what it is, as far as that is known. */
  readonly since: Since | undefined;
}

/**
 * Draws the conclusions about one firewall.
 *
 * @param now Unix time in seconds.
 */
export function toView(status: Status, now: number): FirewallView {
  const { poll, history } = status;
  const tunnels = groupTunnels(history.sightings, now);
  const failure = poll?.ok === false ? poll : undefined;
  const haState = history.haState;
  const standby = haState !== undefined && isStandby(haState);
  const flags = {
    failure,
    isPending: poll === undefined,
    isStandby: standby && failure === undefined,
    isFaulty: haState !== undefined && isFaulty(haState) &&
      failure === undefined,
    isEmpty: poll?.ok === true && tunnels.length === 0 && !standby,
    isStale: poll !== undefined && now - poll.finishedAt > STALE_AFTER_S,
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
  | "failure"
  | "isFaulty"
  | "isStandby"
  | "isEmpty"
  | "isStale"
  | "areLoginsHeld"
>;

function toneOf(flags: Flags, counts: Counts): Tone {
  if (flags.failure !== undefined || flags.isFaulty) return "bad";
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

/** Rank on the page: a firewall that does not answer hides all its tunnels. */
export function urgencyOf(view: FirewallView): number {
  const { failure, tone } = view;
  if (failure !== undefined) return failure.reason === "held" ? 1 : 0;
  // A standby is as well as any other: these stand in their own order.
  return isWell(view) ? TONES.length + 2 : TONES.indexOf(tone) + 2;
}

/** Whether there is nothing about it that somebody has to look at. */
export function isWell({ tone, isPending }: FirewallView): boolean {
  return !isPending && (tone === "good" || tone === "idle");
}
