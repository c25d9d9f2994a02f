/**
 * The states of a tunnel in words: the same on the page, in the log and in
 * the alerts.
 *
 * @module
 */

import { formatAmount } from "../std/words.ts";
import type { Tunnel, TunnelState } from "./tunnel.ts";

/** What a tunnel is said to be. */
export type StateWord = "up" | "down" | "not established" | "unknown";

/** What a monitor is said to see; `unknown` where the reply does not tell. */
export type MonitorWord = "up" | "down" | "off" | "unknown";

const WORD_BY_STATE: Readonly<Record<TunnelState, StateWord>> = {
  active: "up",
  inactive: "down",
  init: "not established",
  unknown: "unknown",
};

/** The state as people are told it. */
export function stateInWords({ state }: Pick<Tunnel, "state">): StateWord {
  return WORD_BY_STATE[state];
}

/**
 * The same with the firewall's own word where the state is not known. Only
 * there: text and XML cut words differently, and `inactiv` is `inactive`.
 */
export function describeState(tunnel: Tunnel): string {
  const word = stateInWords(tunnel);
  return word === "unknown" ? `${word} (${tunnel.stateWord || "blank"})` : word;
}

/** "6 tunnels: 4 up, 2 down"; a tunnel with proxy IDs counts once for each. */
export function countStates(tunnels: readonly Tunnel[]): string {
  const total = formatAmount(tunnels.length, "tunnel");
  const counts = Map.groupBy(tunnels, stateInWords);
  const parts = Object.values(WORD_BY_STATE)
    .map((word) => ({ word, count: counts.get(word)?.length ?? 0 }))
    .filter(({ count }) => count > 0)
    .map(({ word, count }) => `${count} ${word}`);
  return parts.length === 0 ? total : `${total}: ${parts.join(", ")}`;
}

/** Nobody has switched a monitor off of which a reply says nothing. */
export function monitorInWords(
  { monitor }: Pick<Tunnel, "monitor">,
): MonitorWord {
  const word = monitor.toLowerCase();
  return word === "up" || word === "down" || word === "off" ? word : "unknown";
}
