/**
 * What is printed of a poll that no server answers with.
 *
 * @module
 */

import type { Status } from "../model/poll.ts";
import { render } from "../view/exposition.ts";
import { firewallFamilies } from "../view/metrics.ts";

/** What to print, and how to end. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: 0 | 1;
}

/** Shows the exposition if there is one, and a verdict on each. */
export function toOutcome(statuses: readonly Status[]): Outcome {
  const [only, ...others] = statuses;
  return {
    stdout: only === undefined || others.length > 0
      ? ""
      : render(firewallFamilies(only)),
    stderr: statuses.map((status) => `${verdict(status)}\n`).join(""),
    code: statuses.every(({ poll }) => poll?.ok) ? 0 : 1,
  };
}

function verdict({ target, poll }: Status): string {
  if (poll === undefined) return `${target}: not polled`;
  if (!poll.ok) return `${target}: ${poll.reason}: ${poll.message}`;
  const { tunnels } = poll.flow;
  const up = tunnels.filter(({ state }) => state === "active").length;
  return `${target}: ok: ${tunnels.length} tunnels, ${up} active`;
}
