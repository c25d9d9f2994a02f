/**
 * The states of a tunnel in words: the same on the page, in the log and in
 * the alerts.
 *
 * @module
 */

import type { Tunnel } from "./tunnel.ts";

/** What a tunnel is said to be. */
export type StateWord = "up" | "down" | "not established" | "unknown";

/** What a monitor is said to see; `unknown` where the reply does not tell. */
export type MonitorWord = "up" | "down" | "off" | "unknown";

/** `init`: nothing was negotiated since the configuration or the start. */
export function stateInWords(
  { state, stateWord }: Pick<Tunnel, "state" | "stateWord">,
): StateWord {
  if (state === "active") return "up";
  if (state === "inactive") return "down";
  return stateWord.toLowerCase() === "init" ? "not established" : "unknown";
}

/** Nobody has switched a monitor off of which a reply says nothing. */
export function monitorInWords(
  { monitor }: Pick<Tunnel, "monitor">,
): MonitorWord {
  const word = monitor.toLowerCase();
  return word === "up" || word === "down" || word === "off" ? word : "unknown";
}
