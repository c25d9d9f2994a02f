/**
 * The tunnels of one firewall on the status page.
 *
 * @module
 */

import type { Since } from "../model/history.ts";
import type { Status } from "../model/poll.ts";
import type { Condition, TunnelGroup } from "../model/tunnel_group.ts";
import { describeState, monitorInWords } from "../model/tunnel_words.ts";
import { formatAmount, formatCount } from "../std/words.ts";
import type { FirewallView } from "./firewall_view.ts";
import { formatSpan, formatTime } from "./format.ts";
import { type Content, type Html, markup } from "./html.ts";
import { type Frame, pathOf, renderFitting } from "./page_frame.ts";
import { describeCounts, TONE_OF } from "./tunnel_condition.ts";

/** Renders the table of a firewall's tunnels, and takes its rows off the budget. */
export function renderTunnels(
  view: FirewallView,
  frame: Frame,
): Html | undefined {
  const { tunnels, counts, failure, isStandby, status } = view;
  const isFailing = failure !== undefined;
  if (tunnels.length === 0) return undefined;
  const listed = frame.listsAll
    ? tunnels
    : tunnels.filter(({ condition }) => !isStandby && condition !== "up");
  const shown = renderFitting(listed, {
    budget: frame.budget,
    kind: "rows",
    amountOf: ({ rows }) => rows.length,
    frameBytes: TABLE_BYTES,
    render: (tunnel) => renderTunnel(tunnel, view, frame),
  });
  const caption = isFailing
    ? `Last known, ${describeAge(status, frame.now)}: ${
      formatAmount(tunnels.length, "tunnel")
    }`
    : describeCounts(counts) +
      (isStandby ? "; on standby, so not counted above" : "");
  const rest = describeRest(view, shown.length, frame);
  return shown.length === 0
    ? markup`<p>${caption}${rest}</p>\n`
    : renderTable(shown, isFailing ? "old" : "new", [caption, rest]);
}

function renderTable(
  rows: readonly Html[],
  age: "old" | "new",
  caption: Content,
): Html {
  return markup`<table class="${age}">
<caption>${caption}</caption>
<thead><tr><th scope="col">State</th><th scope="col">Tunnel</th>\
<th scope="col">Since (UTC)</th><th scope="col">Interface</th>\
<th scope="col">Peer</th><th scope="col">Local</th>\
<th scope="col">Monitor</th><th scope="col">ID</th></tr></thead>
<tbody>
${rows}</tbody>
</table>
`;
}

const TABLE_BYTES = renderTable([], "new", "").bytes;

function describeAge({ lastSuccessAt }: Status, now: number): string {
  return lastSuccessAt === undefined
    ? "before"
    : `${formatSpan(Math.max(0, now - lastSuccessAt))} ago`;
}

function describeRest(
  { tunnels, status: { target } }: FirewallView,
  shown: number,
  { isWhole }: Frame,
): Html | undefined {
  const others = tunnels.length - shown;
  if (others === 0 || isWhole) return undefined;
  return markup`; <a href="${pathOf(target)}">${formatCount(others)} more</a>`;
}

/** The rows of a tunnel; those that do not count by themselves are pale. */
function renderTunnel(
  tunnel: TunnelGroup,
  { isStandby, failure }: FirewallView,
  { now }: Frame,
): Html {
  const { condition, rows } = tunnel;
  const tone = isStandby || failure !== undefined ? "idle" : TONE_OF[condition];
  const items = rows.map((row) => {
    const { id, name, interfaceName, peerIp, localIp, monitor } = row.tunnel;
    const state = describeRow(row, condition);
    return markup`<tr class="${tone}"><td>${state}</td>\
<th scope="row">${name}</th>\
<td>${describeStart(row.since, now)}</td>\
<td>${interfaceName}</td>\
<td>${peerIp}</td><td>${localIp}</td>\
<td>${monitor}</td><td>${id}</td></tr>
`;
  });
  return markup`${items}`;
}

function describeStart({ at, isAtLeast }: Since, now: number): string {
  const moment = formatTime(at, now).replace(" UTC", "");
  return isAtLeast ? `at least ${moment}` : moment;
}

/** The row's own state; what is made of it stands behind, if it differs. */
function describeRow(
  { tunnel }: TunnelGroup["rows"][number],
  condition: Condition,
): string {
  const state = describeState(tunnel);
  if (condition === "lost") return `lost: ${state}`;
  const isDead = state === "up" && monitorInWords(tunnel) === "down";
  return isDead ? "up, monitor down" : state;
}
