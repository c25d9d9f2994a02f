/**
 * The tunnels of a firewall, as one reply to `show vpn flow` lists them.
 *
 * @module
 */

/** `unknown` for every word but the two whose meaning is certain. */
export type TunnelState = "active" | "inactive" | "unknown";

/** One row of the table. */
export interface Tunnel {
  /** A number, but never computed with, so kept as printed. */
  readonly id: string;
  readonly name: string;
  readonly state: TunnelState;
  /** As printed, such as `inactiv` or `init`; empty when the column is. */
  readonly stateWord: string;
  /** As printed: `off`, `up`, `down`; empty when the column is. */
  readonly monitor: string;
  readonly localIp: string;
  readonly peerIp: string;
  /** Tunnel interface, such as `tunnel.3`; empty when the tunnel has none. */
  readonly interfaceName: string;
}

/** A complete reply. */
export interface VpnFlow {
  /** In the order in which the firewall lists them. */
  readonly tunnels: readonly Tunnel[];
  /**
   * What the firewall says after "total IPSec tunnel configured", added up
   * when there are several tables; `undefined` when it does not say.
   */
  readonly configured: number | undefined;
}

/** What makes a tunnel's series unique; the name alone can hold blanks. */
export function seriesKey({ id, interfaceName, name }: Tunnel): string {
  return `${id} ${interfaceName} ${name}`;
}

/**
 * Splits off the rows whose labels an earlier row has: two samples with the
 * same labels are not a valid exposition, so the first one counts.
 */
export function splitDuplicates(flow: VpnFlow): {
  readonly unique: readonly Tunnel[];
  readonly duplicates: readonly Tunnel[];
} {
  const { tunnels } = flow;
  // Firewalls list tunnels by id, and what ascends has no duplicates.
  const ascends = tunnels.every(({ id }, n) => {
    const before = tunnels[n - 1]?.id ?? "";
    return id.length > before.length ||
      (id.length === before.length && id > before);
  });
  if (ascends) return { unique: tunnels, duplicates: [] };
  const seen = new Set<string>();
  const unique: Tunnel[] = [];
  const duplicates: Tunnel[] = [];
  for (const tunnel of tunnels) {
    const key = seriesKey(tunnel);
    (seen.has(key) ? duplicates : unique).push(tunnel);
    seen.add(key);
  }
  return { unique, duplicates };
}
