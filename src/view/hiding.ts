/**
 * What the page keeps to itself. Everybody who can reach it reads it: so it
 * shows no secret that a firewall says back, and names no account.
 *
 * @module
 */

import type { Change } from "../model/history.ts";
import type { FailedPoll } from "../model/poll.ts";
import type { Tunnel } from "../model/tunnel.ts";
import { escapeUnsafe, type Mask } from "../std/quote.ts";
import type { FirewallView } from "./firewall_view.ts";

/** What is hidden. */
export interface Hidden {
  /** Takes out of a firewall's text what must not be shown. */
  readonly mask: Mask;
  /** The account's: what firewalls ask and answer can hold it. */
  readonly username: string;
}

/** Hides it in all that a firewall has said and the page can show. */
export function hide(view: FirewallView, hidden: Hidden): FirewallView {
  const { mask } = hidden;
  const { status, tunnels } = view;
  const failure = hideInFailure(view.failure, hidden);
  const { haState, failing, changes } = status.history;
  return {
    ...view,
    failure,
    tunnels: tunnels.map(({ name, condition, rows }) => ({
      name: mask(name),
      condition,
      rows: rows.map((row) => ({
        ...row,
        tunnel: hideInTunnel(row.tunnel, mask),
      })),
    })),
    status: {
      ...status,
      poll: failure ?? status.poll,
      history: {
        sightings: [], // the page shows the tunnels above
        haState,
        failing,
        changes: changes.map((change) => hideInChange(change, mask)),
      },
    },
  };
}

function hideInTunnel(tunnel: Tunnel, mask: Mask): Tunnel {
  return {
    id: tunnel.id,
    state: tunnel.state,
    name: mask(tunnel.name),
    stateWord: mask(tunnel.stateWord),
    monitor: mask(tunnel.monitor),
    localIp: mask(tunnel.localIp),
    peerIp: mask(tunnel.peerIp),
    interfaceName: mask(tunnel.interfaceName),
  };
}

function hideInFailure(
  failure: FailedPoll | undefined,
  { mask, username }: Hidden,
): FailedPoll | undefined {
  if (failure === undefined) return undefined;
  return { ...failure, message: withoutName(mask(failure.message), username) };
}

function hideInChange(change: Change, mask: Mask): Change {
  if (change.kind === "ha") return change;
  const tunnel = hideInTunnel(change.tunnel, mask);
  switch (change.kind) {
    case "added":
    case "removed":
      return { ...change, tunnel, state: mask(change.state) };
    case "state": {
      const { from, to } = change;
      return { ...change, tunnel, from: mask(from), to: mask(to) };
    }
    case "monitor":
      return { ...change, tunnel };
  }
}

/** Replaces a name where it stands as a word of its own. */
function withoutName(message: string, username: string): string {
  const name = RegExp.escape(escapeUnsafe(username));
  const word = new RegExp(
    `(?<![\\p{L}\\p{N}_])${name}(?![\\p{L}\\p{N}_])`,
    "giu",
  );
  return message.replace(word, "USERNAME");
}
