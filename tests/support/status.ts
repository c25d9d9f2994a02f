/**
 * A firewall's status for tests that care for one part of it.
 *
 * @module
 */

import type { Status } from "../../src/model/poll.ts";
import { NO_DURATIONS } from "../../src/model/stopwatch.ts";
import type { VpnFlow } from "../../src/model/tunnel.ts";

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
    lastSuccessAt: undefined,
    loginDuration: undefined,
    authRetryAt: undefined,
    logins: 1,
  };
}
