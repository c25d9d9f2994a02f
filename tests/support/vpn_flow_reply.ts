/**
 * What the simulated firewall prints for `show vpn flow`.
 *
 * @module
 */

import type { VpnFlow } from "../../src/model/tunnel.ts";
import { parseVpnFlow } from "../../src/panos/vpn_flow.ts";

/** A row of the table, with the words a firewall would print. */
export interface PrintedTunnel {
  readonly id: number;
  readonly name: string;
  /** `active`, `inactive` (printed as `inactiv`), `init`. */
  readonly state: string;
  /** `off`, `up`, `down`. */
  readonly monitor: string;
  readonly localIp: string;
  readonly peerIp: string;
  /** Empty for a tunnel without one. */
  readonly interfaceName: string;
}

/**
 * Prints tunnels in the layout most often seen: names 64 wide, addresses 30.
 *
 * Lines end in `\n`; the shell of the firewall makes `\r\n` of it.
 */
export function printVpnFlow(tunnels: readonly PrintedTunnel[]): string {
  return [
    "",
    count("total tunnels configured:", tunnels.length),
    "filter - type IPSec, state any",
    "",
    count("total IPSec tunnel configured:", tunnels.length),
    count("total IPSec tunnel shown:", tunnels.length),
    "",
    HEADER,
    RULER,
    ...tunnels.map(printRow),
    "",
    "",
  ].join("\n");
}

/** Invents tunnels that are all up, for a test that needs a number of them. */
export function inventTunnels(size: number): readonly PrintedTunnel[] {
  return Array.from({ length: size }, (_, index) => ({
    id: index + 1,
    name: `branch-${index + 1}`,
    state: "active",
    monitor: "off",
    localIp: "192.0.2.1",
    peerIp: `198.51.100.${index % 254 + 1}`,
    interfaceName: `tunnel.${index + 1}`,
  }));
}

/** Widths of all columns but the last, the blank behind each included. */
const HEADER_WIDTHS = [6, 64, 8, 8, 30, 30] as const;

/** In the captures the peer stands one column to the left of its header. */
const ROW_WIDTHS = [6, 64, 8, 8, 29, 31] as const;

const HEADER = printCells(HEADER_WIDTHS, [
  "id",
  "name",
  "state",
  "monitor",
  "local-ip",
  "peer-ip",
  "tunnel-i/f",
]);

const RULER = printCells(HEADER_WIDTHS, [
  "--",
  "--------------",
  "-----",
  "-------",
  "--------",
  "-------",
  "----------  ",
]);

function printRow(tunnel: PrintedTunnel): string {
  const { id, name, state, monitor, localIp, peerIp, interfaceName } = tunnel;
  return printCells(ROW_WIDTHS, [
    String(id),
    name,
    // The column keeps seven characters: "inactive" is printed as "inactiv".
    state.slice(0, 7),
    monitor,
    localIp,
    peerIp,
    interfaceName,
  ]);
}

function printCells(
  widths: readonly number[],
  cells: readonly string[],
): string {
  return cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join("");
}

function count(title: string, value: number): string {
  return title.padEnd(62) + value;
}

/** Reads a reply that is given as one text, with any line ends. */
export function readVpnFlow(text: string): VpnFlow {
  return parseVpnFlow(text.split(/\r?\n/));
}
