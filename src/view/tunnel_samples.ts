/**
 * The tunnels of a firewall as samples of the metric families.
 *
 * @module
 */

import type { Tunnel, TunnelState } from "../model/tunnel.ts";
import { monitorInWords, type MonitorWord } from "../model/tunnel_words.ts";
import type { Sample } from "./exposition.ts";

const VALUE_BY_STATE: Readonly<Record<TunnelState, number>> = {
  active: 1,
  inactive: 2,
  init: 3,
  unknown: 3,
};

const VALUE_BY_MONITOR: Readonly<Record<MonitorWord, number | undefined>> = {
  up: 1,
  down: 0,
  off: undefined,
  unknown: undefined,
};

/** One for each tunnel. */
export function stateSamples(tunnels: readonly Tunnel[]): readonly Sample[] {
  return tunnels.map(({ id, name, interfaceName, state }) => {
    const labels = {
      ifAlias: name,
      ifDescr: interfaceName,
      ifIndex: id,
      ifName: interfaceName,
    };
    return { labels, value: VALUE_BY_STATE[state] };
  });
}

/** One for each tunnel whose monitor says something. */
export function monitorSamples(tunnels: readonly Tunnel[]): readonly Sample[] {
  return tunnels.flatMap((tunnel) => {
    const value = VALUE_BY_MONITOR[monitorInWords(tunnel)];
    if (value === undefined) return [];
    const { id, name, interfaceName } = tunnel;
    const labels = { ifAlias: name, ifIndex: id, ifName: interfaceName };
    return [{ labels, value }];
  });
}

/** One for each tunnel, with the addresses of its two ends. */
export function infoSamples(tunnels: readonly Tunnel[]): readonly Sample[] {
  return tunnels.map(({ id, name, interfaceName, localIp, peerIp }) => {
    const labels = {
      ifAlias: name,
      ifIndex: id,
      ifName: interfaceName,
      ["local_ip"]: localIp,
      ["peer_ip"]: peerIp,
    };
    return { labels, value: 1 };
  });
}
