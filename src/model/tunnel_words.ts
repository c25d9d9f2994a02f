/**
 * The states of a tunnel in words: the same on the page, in the log and in
 * the alerts.
 *
 * @module
 */

import type { Tunnel } from "./tunnel.ts";

/** What a tunnel is said to be. */
export type StateWord = "up" | "down" | "not established" | "unknown";

/** What a monitor that watches something is said to see. */
export type MonitorWord = "up" | "down";

/** `init`: nothing was negotiated since the configuration or the start. */
export function stateInWords(
  { state, stateWord }: Pick<Tunnel, "state" | "stateWord">,
): StateWord {
  if (state === "active") return "up";
  if (state === "inactive") return "down";
  return stateWord.toLowerCase() === "init" ? "not established" : "unknown";
}

/** @returns `undefined` where no monitor watches the tunnel. */
export function monitorInWords(
  { monitor }: Pick<Tunnel, "monitor">,
): MonitorWord | undefined {
  const word = monitor.toLowerCase();
  return word === "up" || word === "down" ? word : undefined;
}
