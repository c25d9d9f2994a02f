/**
 * `--parse`: reads a saved reply to `show vpn flow`, text or XML.
 *
 * @module
 */

import type { Poll } from "../model/poll.ts";
import { NO_HISTORY } from "../model/history.ts";
import { NO_DURATIONS } from "../model/stopwatch.ts";
import type { VpnFlow } from "../model/tunnel.ts";
import { createScreen } from "../panos/screen.ts";
import { parseVpnFlow } from "../panos/vpn_flow.ts";
import { VpnFlowError } from "../panos/vpn_flow_error.ts";
import { holdsVpnFlowXml, parseVpnFlowXml } from "../panos/vpn_flow_xml.ts";
import { quote } from "../std/quote.ts";
import { type Outcome, toOutcome } from "./outcome.ts";

/** Shows the exposition of a saved reply, and a verdict. */
export function parse(reply: Uint8Array, now: number): Outcome {
  const screen = createScreen();
  screen.write(reply);
  const durations = NO_DURATIONS;
  let poll: Poll;
  try {
    const lines = [...screen.lines, screen.line];
    poll = {
      ok: true,
      flow: readReply(lines),
      form: holdsVpnFlowXml(lines) ? "xml" : "text",
      haState: undefined,
      durations,
      finishedAt: now,
    };
  } catch (error) {
    if (!(error instanceof VpnFlowError)) throw error;
    const { reason } = error;
    const message = error.explain(quote);
    poll = { ok: false, reason, message, durations, finishedAt: now };
  }
  return toOutcome([{
    target: "stdin",
    poll,
    lastSuccessAt: poll.ok ? now : undefined,
    loginDuration: undefined,
    negotiated: undefined,
    authRetryAt: undefined,
    logins: 0,
    history: NO_HISTORY,
  }]);
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
