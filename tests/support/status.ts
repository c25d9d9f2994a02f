/**
 * A firewall's status for tests that care for one part of it.
 *
 * @module
 */

import type { Durations, Status } from "../../src/model/poll.ts";
import type { VpnFlow } from "../../src/model/tunnel.ts";

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
