/**
 * What the page shows of a firewall's words: all but the account's secrets.
 *
 * @module
 */

import type { Poll, Status } from "../model/poll.ts";
import type { Tunnel } from "../model/tunnel.ts";
import { escapeUnsafe, type Mask } from "../std/quote.ts";

/**
 * Takes secrets out of every text of a firewall.
 *
 * @param mask Takes out the password.
 * @param username What firewalls ask and answer can hold it.
 */
export function maskStatus(
  status: Status,
  mask: Mask,
  username: string,
): Status {
  const { poll } = status;
  if (poll === undefined) return status;
  return { ...status, poll: maskPoll(poll, mask, username) };
}

function maskPoll(poll: Poll, mask: Mask, username: string): Poll {
  if (!poll.ok) {
    return { ...poll, message: withoutName(mask(poll.message), username) };
  }
  const { flow, haState } = poll;
  const tunnels = flow.tunnels.map((tunnel) => maskTunnel(tunnel, mask));
  return {
    ...poll,
    flow: { ...flow, tunnels },
    haState: haState === undefined ? undefined : mask(haState),
  };
}

function maskTunnel(tunnel: Tunnel, mask: Mask): Tunnel {
  return {
    ...tunnel,
    id: mask(tunnel.id),
    name: mask(tunnel.name),
    stateWord: mask(tunnel.stateWord),
    monitor: mask(tunnel.monitor),
    localIp: mask(tunnel.localIp),
    peerIp: mask(tunnel.peerIp),
    interfaceName: mask(tunnel.interfaceName),
  };
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
