/**
 * One firewall on the status page.
 *
 * @module
 */

import { ADVICE, UNKNOWN_LAYOUT } from "../model/advice.ts";
import type { Change, Since } from "../model/history.ts";
import { PHASES, type Poll, type Status } from "../model/poll.ts";
import { monitorInWords, stateInWords } from "../model/tunnel_words.ts";
import type { Mask } from "../std/quote.ts";
import {
  type Condition,
  describeCounts,
  type FirewallView,
  TONE_OF,
  type TunnelGroup,
} from "./conclusions.ts";
import { count, duration, plural, since, span, time, until } from "./format.ts";
import { withoutName } from "./hidden_name.ts";
import { type Html, markup } from "./html.ts";

/** How much more the page may hold; what is written is taken off. */
export interface Budget {
  rows: number;
  changes: number;
}

/** What a firewall is shown with. */
export interface Frame {
  /** Unix time in seconds. */
  readonly now: number;
  /** Takes out of a firewall's text what must not be shown. */
  readonly mask: Mask;
  /** Is not shown in messages. */
  readonly username: string;
  /** The target that `/metrics` polls; `/probe` serves all others. */
  readonly metricsTarget: string | undefined;
  readonly budget: Budget;
  /** Whether tunnels are listed that nobody has to look at. */
  readonly listsAll: boolean;
  /** Whether the page shows this firewall alone, and whole. */
  readonly isWhole: boolean;
}

/** Where on the page a firewall stands; made of its name alone. */
export function anchorOf(target: string): string {
  return `fw-${target}`;
}

/** Renders the section of a firewall, and takes its rows off the budget. */
export function renderFirewall(view: FirewallView, frame: Frame): Html {
  const { status, tone } = view;
  const { target, history: { haState } } = status;
  const age = view.isFailing ? ", last known" : "";
  const path = target === frame.metricsTarget
    ? "/metrics"
    : `/probe?target=${encodeURIComponent(target)}`;
  return markup`<section id="${anchorOf(target)}" class="${tone}" \
aria-label="${target}">
<div class="head">
<h2><bdi>${target}</bdi></h2>
${renderState(view, frame.now)}
${haState === undefined ? undefined : markup`<p>HA ${haState}${age}</p>\n`}\
<a href="${path}" aria-label="Metrics of ${target}">Metrics</a>
</div>
${renderNotes(view, frame)}${renderTunnels(view, frame)}\
${renderChanges(view, frame)}${renderFacts(status, frame.now)}</section>
`;
}

function renderState({ status, isFaulty }: FirewallView, now: number): Html {
  const { poll, history } = status;
  if (poll === undefined) return markup`<p class="is idle">not polled yet</p>`;
  if (!poll.ok) {
    const { failing } = history;
    const moment = failing === undefined
      ? ""
      : `, ${since({ at: failing.sinceAt, isAtLeast: false }, now)}`;
    return markup`<p class="is bad">${ADVICE[poll.reason].title}${moment}</p>`;
  }
  return isFaulty
    ? markup`<p class="is bad">unable to carry traffic</p>`
    : markup`<p class="is good">answering</p>`;
}

function renderNotes(view: FirewallView, frame: Frame): Html {
  const { now, mask, username } = frame;
  const { poll, authRetryAt, history } = view.status;
  const notes: (string | undefined)[] = [
    poll === undefined
      ? "Its first scrape polls it: does Prometheus scrape it?"
      : undefined,
    view.isFaulty
      ? `The firewall says that it is ${history.haState}: look at its high availability.`
      : undefined,
    view.isEmpty
      ? "The firewall says that it has no tunnels. If it should have some, look at its data plane."
      : undefined,
    view.areLoginsHeld && authRetryAt !== undefined
      ? `No login before ${
        until(authRetryAt, now).join(", in ")
      }, so that the account is not locked.`
      : undefined,
    poll?.ok && poll.form === "xml"
      ? `The text cannot be read, so the tunnels are read in XML. ${UNKNOWN_LAYOUT}`
      : undefined,
    view.isStale
      ? "This is an old reading: does Prometheus still scrape this firewall?"
      : undefined,
  ];
  const message = poll?.ok === false
    ? markup`<p class="note bad mono"><bdi>${
      withoutName(mask(poll.message), username)
    }</bdi></p>\n`
    : undefined;
  return markup`${message}${
    notes.map((note) =>
      note === undefined
        ? undefined
        : markup`<p class="note warn">${note}</p>\n`
    )
  }`;
}

function renderTunnels(view: FirewallView, frame: Frame): Html | undefined {
  const { tunnels, counts, isFailing, isStandby, status } = view;
  if (tunnels.length === 0) return undefined;
  const listed = frame.listsAll
    ? tunnels
    : tunnels.filter(({ condition }) => !isStandby && condition !== "up");
  const kept: TunnelGroup[] = [];
  for (const tunnel of listed) {
    if (frame.budget.rows < tunnel.rows.length) break;
    frame.budget.rows -= tunnel.rows.length;
    kept.push(tunnel);
  }
  const caption = isFailing
    ? `Last known, ${describeAge(status, frame.now)}: ${
      plural(tunnels.length, "tunnel")
    }`
    : describeCounts(counts) +
      (isStandby ? "; on standby, so not counted above" : "");
  const rest = describeRest(view, kept.length, frame);
  if (kept.length === 0) return markup`<p>${caption}${rest}</p>\n`;
  return markup`<table class="${isFailing ? "old" : "new"}">
<caption>${caption}${rest}</caption>
<thead><tr><th scope="col">State</th><th scope="col">Tunnel</th>\
<th scope="col">Since (UTC)</th><th scope="col">Interface</th>\
<th scope="col">Peer</th><th scope="col">Local</th>\
<th scope="col">Monitor</th><th scope="col">ID</th></tr></thead>
<tbody>
${kept.map((tunnel) => renderTunnel(tunnel, view, frame))}</tbody>
</table>
`;
}

function describeAge({ lastSuccessAt }: Status, now: number): string {
  return lastSuccessAt === undefined
    ? "before"
    : `${span(Math.max(0, now - lastSuccessAt))} ago`;
}

function describeRest(
  { tunnels, status: { target } }: FirewallView,
  shown: number,
  { isWhole }: Frame,
): Html | undefined {
  const others = tunnels.length - shown;
  if (others === 0 || isWhole) return undefined;
  const path = `/?firewall=${encodeURIComponent(target)}`;
  return markup`; <a href="${path}">${count(others)} more</a>`;
}

/** The rows of a tunnel; those that do not count by themselves are pale. */
function renderTunnel(
  tunnel: TunnelGroup,
  { isStandby, isFailing }: FirewallView,
  frame: Frame,
): readonly Html[] {
  const { condition, rows } = tunnel;
  const tone = isStandby || isFailing ? "idle" : TONE_OF[condition];
  const { now, mask } = frame;
  return rows.map((row) => {
    const { id, name, interfaceName, peerIp, localIp, monitor } = row.tunnel;
    const state = describeState(row, condition);
    return markup`<tr class="${tone}"><td>${state}</td>\
<th scope="row">${mask(name)}</th>\
<td>${describeStart(row.since, now)}</td>\
<td>${mask(interfaceName)}</td>\
<td class="mono">${mask(peerIp)}</td><td class="mono">${mask(localIp)}</td>\
<td>${mask(monitor)}</td><td>${id}</td></tr>
`;
  });
}

function describeStart({ at, isAtLeast }: Since, now: number): string {
  const moment = time(at, now).replace(" UTC", "");
  return isAtLeast ? `at least ${moment}` : moment;
}

/** The row's own state; what is made of it stands behind, if it differs. */
function describeState(
  { tunnel }: TunnelGroup["rows"][number],
  condition: Condition,
): string {
  const word = stateInWords(tunnel);
  const detail = word === "unknown" ? ` (${tunnel.stateWord || "blank"})` : "";
  if (condition === "lost") return `lost: ${word}${detail}`;
  const isDead = word === "up" && monitorInWords(tunnel) === "down";
  return isDead ? "up, monitor down" : word + detail;
}

function renderChanges(
  { status: { history } }: FirewallView,
  { budget, now, mask }: Frame,
): Html | undefined {
  const changes = history.changes.slice(0, Math.max(0, budget.changes));
  budget.changes -= changes.length;
  if (changes.length === 0) return undefined;
  const items = changes.map((change) => {
    const words = mask(describeChange(change));
    return markup`<li>${time(change.at, now)}: <bdi>${words}</bdi></li>
`;
  });
  return markup`<details open><summary>Last changes</summary>
<ul>
${items}</ul>
</details>
`;
}

function describeChange({ kind, tunnel, from, to }: Change): string {
  const name = tunnel?.name ?? "";
  switch (kind) {
    case "added":
      return `${name} added, ${to}`;
    case "removed":
      return `${name} removed, it was ${from}`;
    case "state":
      return `${name} went from ${from} to ${to}`;
    case "monitor":
      return `${name}: monitor went from ${from || "off"} to ${to || "off"}`;
    case "ha":
      return `high availability went from ${from || "none"} to ${to || "none"}`;
  }
}

function renderFacts(status: Status, now: number): Html {
  const { poll, lastSuccessAt, loginDuration, logins } = status;
  const facts: (readonly [name: string, value: string])[] = [];
  if (poll !== undefined) {
    facts.push(["Last polled", describeMoment(poll.finishedAt, now)]);
    if (!poll.ok) {
      const success = lastSuccessAt === undefined
        ? "none since the exporter started"
        : describeMoment(lastSuccessAt, now);
      facts.push(["Last success", success]);
    }
    facts.push(["Poll took", describeDurations(poll)]);
  }
  const login = loginDuration === undefined ? "–" : duration(loginDuration);
  facts.push([
    "Last login took",
    `${login}, ${plural(logins, "login")} tried so far`,
  ]);
  const items = facts.map(([name, value]) =>
    markup`<div><dt>${name}</dt><dd>${value}</dd></div>
`
  );
  return markup`<dl>
${items}</dl>
`;
}

function describeMoment(at: number, now: number): string {
  const age = now - at;
  return `${age < 1 ? "just now" : `${span(age)} ago`}, ${time(at, now)}`;
}

/** Only the phases that took time: the others were not reached or needed. */
function describeDurations({ durations }: Poll): string {
  const taken = PHASES.filter((phase) => durations[phase] > 0);
  if (taken.length === 0) return "no time: nothing was sent";
  const whole = taken.reduce((sum, phase) => sum + durations[phase], 0);
  const phases = taken.map((phase) => `${phase} ${duration(durations[phase])}`);
  const session = taken[0] === "command" ? ", on a kept session" : "";
  return `${duration(whole)}${session}: ${phases.join(", ")}`;
}
