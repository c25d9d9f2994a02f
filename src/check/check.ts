/**
 * What the program does instead of serving: `--check` and `--parse`.
 *
 * @module
 */

import { render } from "../view/exposition.ts";
import type { Firewall } from "../firewall/firewall.ts";
import { firewallFamilies } from "../view/metrics.ts";
import type { Poll, Status } from "../model/poll.ts";
import { durationsBetween } from "../model/stopwatch.ts";
import { createScreen } from "../panos/screen.ts";
import { parseVpnFlow, VpnFlowError } from "../panos/vpn_flow.ts";
import { quote } from "../std/quote.ts";

/** What to print, and how to end. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: 0 | 1;
}

/** Polls each firewall once; shows the exposition if there is one. */
export async function check(
  firewalls: readonly Firewall[],
  waitMs: number,
): Promise<Outcome> {
  const statuses = await Promise.all(
    firewalls.map((firewall) => firewall.poll(waitMs)),
  );
  return toOutcome(statuses);
}

/** Reads a saved reply to `show vpn flow`. */
export function parse(reply: Uint8Array, now: number): Outcome {
  const screen = createScreen();
  screen.write(reply);
  const durations = durationsBetween([], 0, 0);
  let poll: Poll;
  try {
    const flow = parseVpnFlow([...screen.lines, screen.line]);
    poll = { ok: true, flow, haState: undefined, durations, finishedAt: now };
  } catch (error) {
    if (!(error instanceof VpnFlowError)) throw error;
    const { reason } = error;
    const message = error.explain(quote);
    poll = { ok: false, reason, message, durations, finishedAt: now };
  }
  return toOutcome([{
    target: "stdin",
    poll,
    lastSuccessAt: poll.ok ? now : 0,
    loginDuration: undefined,
    authRetryAt: 0,
    logins: 0,
  }]);
}

function toOutcome(statuses: readonly Status[]): Outcome {
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
