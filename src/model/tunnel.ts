/**
 * The tunnels of a firewall, as one reply to `show vpn flow` lists them.
 *
 * @module
 */

/**
 * `init`: nothing was negotiated since the configuration or the start.
 * `unknown`: any other word, or rows that contradict each other.
 */
export type TunnelState = "active" | "inactive" | "init" | "unknown";

/** One row of the table. */
export interface Tunnel {
  /** A number, but never computed with, so kept as printed. */
  readonly id: string;
  readonly name: string;
  readonly state: TunnelState;
  /**
   * As printed, such as `inactiv` or `init`; empty when the column is. Rows of
   * one tunnel that contradict each other have theirs joined: `active or init`.
   */
  readonly stateWord: string;
  /** As printed: `off`, `up`, `down`; empty when that is not known. */
  readonly monitor: string;
  /** As printed, masked or not; empty if not known. */
  readonly localIp: string;
  readonly peerIp: string;
  /** Tunnel interface, such as `tunnel.3`; empty when the tunnel has none. */
  readonly interfaceName: string;
}

/** The rows of a complete reply. */
export interface VpnFlow {
  /** In the order in which the firewall lists them. */
  readonly tunnels: readonly Tunnel[];
  /**
   * What the firewall says after "total IPSec tunnel configured", added up
   * when there are several tables; `undefined` when it does not say.
   */
  readonly configured: number | undefined;
}

/**
 * What makes a tunnel's series unique. The name comes last, as only a name can
 * hold blanks.
 */
export function seriesKey({ id, interfaceName, name }: Tunnel): string {
  return `${id} ${interfaceName} ${name}`;
}

/** A complete reply in which each tunnel comes once. */
export interface TunnelTable extends VpnFlow {
  /** The tunnels whose rows contradict each other. */
  readonly contradictions: readonly Tunnel[];
}

/**
 * Makes one tunnel of all rows with the same labels: two samples with the same
 * labels are not a valid exposition.
 *
 * Several data planes may each list a tunnel. Rows that agree are that tunnel.
 * What they contradict each other in is not known: state, monitor, addresses.
 */
export function mergeRows({ tunnels, configured }: VpnFlow): TunnelTable {
  if (ascends(tunnels)) return { tunnels, configured, contradictions: [] };
  const rowsByKey = Map.groupBy(tunnels, seriesKey);
  const merged: Tunnel[] = [];
  const contradictions: Tunnel[] = [];
  for (const [first, ...others] of rowsByKey.values()) {
    if (first === undefined) continue;
    const tunnel = others.reduce(merge, first);
    merged.push(tunnel);
    if (tunnel !== first) contradictions.push(tunnel);
  }
  return { tunnels: merged, configured, contradictions };
}

/** Firewalls list tunnels by id, and ids that ascend do not repeat. */
function ascends(tunnels: readonly Tunnel[]): boolean {
  return tunnels.every(({ id }, n) => {
    const before = tunnels[n - 1]?.id ?? "";
    return id.length > before.length ||
      (id.length === before.length && id > before);
  });
}

/** @returns `one` itself if `other` says the same. */
function merge(one: Tunnel, other: Tunnel): Tunnel {
  const words = one.stateWord.split(" or ");
  const isSameState = one.state === other.state &&
    (one.state !== "unknown" || words.includes(other.stateWord));
  const isSameMonitor =
    one.monitor.toLowerCase() === other.monitor.toLowerCase();
  const isSamePath = one.localIp === other.localIp &&
    one.peerIp === other.peerIp;
  if (isSameState && isSameMonitor && isSamePath) return one;
  return {
    ...one,
    ...(!isSameState && {
      state: "unknown",
      // in whatever order the rows come
      stateWord: [...new Set([...words, other.stateWord])].sort().join(" or "),
    }),
    ...(!isSameMonitor && { monitor: "" }),
    ...(!isSamePath && { localIp: "", peerIp: "" }),
  };
}
