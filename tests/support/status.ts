/**
 * A firewall's status for tests that care for one part of it.
 *
 * @module
 */

import { PollHistory } from "../../src/firewall/history.ts";
import { NO_HISTORY } from "../../src/model/history.ts";
import type { Negotiated } from "../../src/model/negotiated.ts";
import type {
  FailedPoll,
  GoodPoll,
  Poll,
  Status,
} from "../../src/model/poll.ts";
import {
  mergeRows,
  type Tunnel,
  type VpnFlow,
} from "../../src/model/tunnel.ts";
import { NO_DURATIONS } from "../../src/model/stopwatch.ts";
import { render } from "../../src/view/exposition.ts";
import { firewallFamilies } from "../../src/view/metrics.ts";

/** What a login usually comes to. */
export const NEGOTIATED: Negotiated = {
  kex: "curve25519-sha256",
  hostKey: "ssh-ed25519",
  cipher: "aes256-gcm@openssh.com",
  mac: "",
};

/** A firewall that nobody has asked for. */
export const NEVER_POLLED: Status = {
  target: "fw.example",
  poll: undefined,
  lastSuccessAt: undefined,
  loginDuration: undefined,
  negotiated: undefined,
  authRetryAt: undefined,
  logins: 0,
  history: NO_HISTORY,
};

/** The status of a firewall whose last poll returned this. */
export function statusOf(flow: VpnFlow): Status {
  return statusAfter([goodPoll(flow.tunnels, { flow: mergeRows(flow) })], {
    logins: 1,
  });
}

/** The status of a firewall after these polls, the last one last. */
export function statusAfter(
  polls: readonly Poll[],
  changes: Partial<Status> = {},
): Status {
  const history = new PollHistory();
  for (const poll of polls) {
    history.record(poll, poll.ok ? poll.flow.tunnels : []);
  }
  return {
    ...NEVER_POLLED,
    poll: polls.at(-1),
    lastSuccessAt: polls.findLast(({ ok }) => ok)?.finishedAt,
    history,
    ...changes,
  };
}

/** A poll that returned these tunnels. */
export function goodPoll(
  tunnels: readonly Tunnel[],
  changes: Partial<Omit<GoodPoll, "form">> = {},
): GoodPoll {
  return {
    ok: true,
    flow: mergeRows({ tunnels, configured: tunnels.length }),
    form: "text",
    haState: undefined,
    durations: NO_DURATIONS,
    finishedAt: 0,
    ...changes,
  };
}

/** A poll that found no way to the firewall, unless it says otherwise. */
export function failedPoll(changes: Partial<FailedPoll> = {}): FailedPoll {
  return {
    ok: false,
    reason: "connect",
    message: "Cannot connect: refused",
    durations: NO_DURATIONS,
    finishedAt: 0,
    ...changes,
  };
}

/** A tunnel that is up; its addresses and interface follow from its id. */
export function tunnelOf(
  changes: Partial<Tunnel> & Pick<Tunnel, "id">,
): Tunnel {
  return {
    name: `tunnel-${changes.id}`,
    state: "active",
    stateWord: "active",
    monitor: "off",
    localIp: "192.0.2.1",
    peerIp: `198.51.100.${changes.id}`,
    interfaceName: `tunnel.${changes.id}`,
    ...changes,
  };
}

/** The families that a reply decides; the others tell of the poll. */
const TUNNEL_FAMILIES: ReadonlySet<string> = new Set([
  "ifIPsecOperStatus",
  "panos_ipsec_tunnels_configured",
  "panos_ipsec_tunnel_monitor_up",
  "panos_ipsec_tunnel_info",
]);

/** What is shown of a reply, as the fixtures have it. */
export function renderTunnels(flow: VpnFlow): string {
  return render(
    firewallFamilies(statusOf(flow))
      .filter(({ name }) => TUNNEL_FAMILIES.has(name)),
  );
}
