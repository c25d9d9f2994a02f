/**
 * `--parse`: reads a saved reply to `show vpn flow`, text or XML.
 *
 * @module
 */

import { NO_HISTORY } from "../model/history.ts";
import type { FormRead, Poll } from "../model/poll.ts";
import { NO_DURATIONS } from "../model/stopwatch.ts";
import { mergeRows, type VpnFlow } from "../model/tunnel.ts";
import { countStates } from "../model/tunnel_words.ts";
import { Screen } from "../panos/screen.ts";
import { parseVpnFlow } from "../panos/vpn_flow.ts";
import { VpnFlowError } from "../panos/vpn_flow_error.ts";
import { holdsVpnFlowXml, parseVpnFlowXml } from "../panos/vpn_flow_xml.ts";
import { quote } from "../std/quote.ts";
import { render } from "../view/exposition.ts";
import { firewallFamilies } from "../view/metrics.ts";
import { EXIT, type Outcome } from "./outcome.ts";

/**
 * Shows the exposition of a saved reply, and a verdict.
 *
 * @param now Unix time in seconds: when the reply counts as read.
 */
export function parse(reply: Uint8Array, now: number): Outcome {
  const screen = new Screen();
  screen.write(reply);
  const poll = toPoll([...screen.lines, screen.line], now);
  const exposition = render(firewallFamilies({
    target: "stdin",
    poll,
    lastSuccessAt: poll.ok ? now : undefined,
    loginDuration: undefined,
    negotiated: undefined,
    authRetryAt: undefined,
    logins: 0,
    history: NO_HISTORY,
  }));
  return {
    stdout: exposition,
    stderr: `stdin: ${verdictOf(poll)}\n`,
    code: poll.ok ? EXIT.good : EXIT.failure,
  };
}

/** As if a firewall had just answered with these lines. */
function toPoll(lines: readonly string[], now: number): Poll {
  const finished = { durations: NO_DURATIONS, finishedAt: now };
  try {
    const flow = mergeRows(readReply(lines));
    const form: FormRead = holdsVpnFlowXml(lines)
      ? { form: "xml", textProblem: "XML was saved" }
      : { form: "text" };
    return { ok: true, flow, ...form, haState: undefined, ...finished };
  } catch (error) {
    if (!(error instanceof VpnFlowError)) throw error;
    const { reason } = error;
    return { ok: false, reason, message: error.explain(quote), ...finished };
  }
}

function verdictOf(poll: Poll): string {
  return poll.ok
    ? `ok: ${countStates(poll.flow.tunnels)}`
    : `${poll.reason}: ${poll.message}`;
}

/**
 * Reads a reply in the form that it has; of a session that holds both, the XML.
 *
 * @param lines As {@linkcode parseVpnFlow} takes them.
 * @throws {VpnFlowError} If the reply is not complete.
 */
export function readReply(lines: readonly string[]): VpnFlow {
  return holdsVpnFlowXml(lines) ? parseVpnFlowXml(lines) : parseVpnFlow(lines);
}
