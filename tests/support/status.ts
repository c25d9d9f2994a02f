/**
 * A firewall's status for tests that care for one part of it.
 *
 * @module
 */

import type { Durations, Status } from "../../src/model/poll.ts";
import type { VpnFlow } from "../../src/model/tunnel.ts";
import { render } from "../../src/view/exposition.ts";
import { firewallFamilies } from "../../src/view/metrics.ts";

export const NO_DURATIONS: Durations = {
  connect: 0,
  handshake: 0,
  auth: 0,
  session: 0,
  command: 0,
};

/** The status of a firewall whose last poll returned this. */
export function statusOf(flow: VpnFlow): Status {
  return {
    target: "fw.example",
    poll: {
      ok: true,
      flow,
      haState: undefined,
      durations: NO_DURATIONS,
      finishedAt: 0,
    },
    lastSuccessAt: 0,
    loginDuration: undefined,
    authRetryAt: 0,
    logins: 1,
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
