/**
 * One firewall on the status page.
 *
 * @module
 */

import { ADVICE, UNKNOWN_LAYOUT } from "../model/advice.ts";
import type { Change } from "../model/history.ts";
import { PHASES, type Poll, type Status } from "../model/poll.ts";
import { formatAmount } from "../std/words.ts";
import type { FirewallView } from "./firewall_view.ts";
import {
  formatDuration,
  formatSince,
  formatSpan,
  formatTime,
  formatUntil,
} from "./format.ts";
import { type Html, markup } from "./html.ts";
import { anchorOf, type Frame, renderFitting } from "./page_frame.ts";
import { renderTunnels } from "./page_tunnels.ts";

/**
 * Renders the section of a firewall, and takes what is in its lists off the
 * budget.
 */
export function renderFirewall(view: FirewallView, frame: Frame): Html {
  const { status, tone } = view;
  const { target, history: { haState } } = status;
  const age = view.failure === undefined ? "" : ", last known";
  // first of all, as the few changes would find no room behind many tunnels
  const changes = renderChanges(view, frame);
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
${renderNotes(view, frame.now)}${renderTunnels(view, frame)}\
${changes}${renderFacts(status, frame.now)}</section>
`;
}

function renderState(view: FirewallView, now: number): Html {
  const { failure, since, isFaulty, isPending } = view;
  if (isPending) return markup`<p class="is idle">not polled yet</p>`;
  if (failure !== undefined) {
    const { title } = ADVICE[failure.reason];
    const moment = since === undefined ? "" : `, ${formatSince(since, now)}`;
    return markup`<p class="is bad">${title}${moment}</p>`;
  }
  return isFaulty
    ? markup`<p class="is bad">unable to carry traffic</p>`
    : markup`<p class="is good">answering</p>`;
}

function renderNotes(view: FirewallView, now: number): Html {
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
        formatUntil(authRetryAt, now).join(", in ")
      }, so that the account is not locked.`
      : undefined,
    poll?.ok && poll.form === "xml"
      ? `The text cannot be read, so the tunnels are read in XML. ${UNKNOWN_LAYOUT}`
      : undefined,
    view.isStale
      ? "This is an old reading: does Prometheus still scrape this firewall?"
      : undefined,
  ];
  const message = view.failure === undefined
    ? undefined
    : markup`<p class="note bad mono"><bdi>${view.failure.message}</bdi></p>\n`;
  return markup`${message}${
    notes.map((note) =>
      note === undefined
        ? undefined
        : markup`<p class="note warn">${note}</p>\n`
    )
  }`;
}

function renderChanges(
  { status: { history } }: FirewallView,
  { budget, now }: Frame,
): Html | undefined {
  const items = renderFitting(history.changes, {
    budget,
    kind: "changes",
    amountOf: () => 1,
    frameBytes: LIST_BYTES,
    render: (change) =>
      markup`<li>${formatTime(change.at, now)}: \
<bdi>${describeChange(change)}</bdi></li>
`,
  });
  return items.length === 0 ? undefined : renderList(items);
}

function renderList(items: readonly Html[]): Html {
  return markup`<details open><summary>Last changes</summary>
<ul>
${items}</ul>
</details>
`;
}

const LIST_BYTES = renderList([]).bytes;

function describeChange(change: Change): string {
  switch (change.kind) {
    case "added":
      return `${change.tunnel.name} added, ${change.state}`;
    case "removed":
      return `${change.tunnel.name} removed, it was ${change.state}`;
    case "state": {
      const { tunnel: { name }, from, to } = change;
      return `${name} went from ${from} to ${to}`;
    }
    case "monitor": {
      const { tunnel: { name }, from, to } = change;
      return `${name}: monitor went from ${from} to ${to}`;
    }
    case "ha": {
      const { from = "none", to = "none" } = change;
      return `high availability went from ${from} to ${to}`;
    }
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
  const login = loginDuration === undefined
    ? "–"
    : formatDuration(loginDuration);
  facts.push([
    "Last login took",
    `${login}, ${formatAmount(logins, "login")} tried so far`,
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
  return `${age < 1 ? "just now" : `${formatSpan(age)} ago`}, ${
    formatTime(at, now)
  }`;
}

/** Only the phases that took time: the others were not reached or needed. */
function describeDurations({ durations }: Poll): string {
  const taken = PHASES.filter((phase) => durations[phase] > 0);
  if (taken.length === 0) return "no time: nothing was sent";
  const whole = taken.reduce((sum, phase) => sum + durations[phase], 0);
  const phases = taken.map((phase) =>
    `${phase} ${formatDuration(durations[phase])}`
  );
  const session = taken[0] === "command" ? ", on a kept session" : "";
  return `${formatDuration(whole)}${session}: ${phases.join(", ")}`;
}
