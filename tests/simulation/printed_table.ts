/**
 * The tables that simulated firewalls print: one tunnel each, whose peer's
 * address is the number of the table.
 *
 * @module
 */

import { inventTunnels, printVpnFlow } from "../support/vpn_flow_reply.ts";
import {
  printUnknownLayout,
  printVpnFlowXml,
} from "../support/vpn_flow_xml.ts";

const TUNNELS = inventTunnels(1);

/** Lines that only a newer exporter could read. */
export const UNREADABLE: readonly string[] = printUnknownLayout(TUNNELS)
  .split("\n");

/** @returns Lines. */
export function printTable(
  form: "text" | "xml",
  number: number,
  isDown: boolean,
): string[] {
  const bytes = [10, number >> 16, (number >> 8) & 255, number & 255];
  const tunnels = TUNNELS.map((tunnel) => ({
    ...tunnel,
    peerIp: bytes.join("."),
    state: isDown ? "inactive" : "active",
  }));
  const print = form === "text" ? printVpnFlow : printVpnFlowXml;
  return print(tunnels).split("\n");
}

/** The number of the table in which a peer's address stands. */
export function numberOf(peerIp: string): number {
  const [, high = 0, middle = 0, low = 0] = peerIp.split(".").map(Number);
  return (high << 16) + (middle << 8) + low;
}
