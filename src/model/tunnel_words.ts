/**
 * The states of a tunnel in words: the same on the page, in the log and in
 * the alerts.
 *
 * @module
 */

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

/** Nobody has switched a monitor off of which a reply says nothing. */
export function monitorInWords(
  { monitor }: Pick<Tunnel, "monitor">,
): MonitorWord {
  const word = monitor.toLowerCase();
  return word === "up" || word === "down" || word === "off" ? word : "unknown";
}
