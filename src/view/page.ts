/**
 * The status page, readable without Grafana by somebody who has just been
 * woken up: is something broken, what, since when, what now.
 *
 * @module
 */

import { ADVICE } from "../model/advice.ts";
import type { LoginHold, Status } from "../model/poll.ts";
import { formatAmount, formatCount, joinNames } from "../std/words.ts";
import {
  type FirewallView,
  isWell,
  toView,
  urgencyOf,
} from "./firewall_view.ts";
import { formatSince, formatTime, formatUntil } from "./format.ts";
import { type Hidden, hide } from "./hiding.ts";
import { type Html, markup } from "./html.ts";
import { renderFirewall } from "./page_firewall.ts";
import { anchorOf, type Budget, pathOf } from "./page_frame.ts";
import { STYLE } from "./page_style.ts";
import { addCounts, describeCounts, total } from "./tunnel_condition.ts";
import { countServing, reasonsOf, toVerdict } from "./verdict.ts";

/** What the page is made of. */
export interface PageInput extends Hidden {
  /** In the order in which firewalls in the same condition are shown. */
  readonly firewalls: readonly Status[];
  /** Whether a single firewall was asked for, and is shown whole. */
  readonly isWhole: boolean;
  /** The target that `/metrics` polls; `/probe` serves all others. */
  readonly metricsTarget: string | undefined;
  readonly hold: LoginHold | undefined;
  /** The version of the exporter. */
  readonly version: string;
  /** Unix time in seconds. */
  readonly now: number;
}

/** Seconds after which a browser asks for the page again. */
const REFRESH_S = 30;

/** What the page holds at most: a browser has to stay quick. */
const MAX_BYTES = 300 * 1_024;
const MAX_ROWS = 1_000;
const MAX_CHANGES = 300;

/** Room kept for tunnels and changes, however many sections there are. */
const SHARE_OF_LISTS = 0.25;

/** Lines of the index for firewalls that are well. */
const MAX_WELL = 500;

/** Renders the page as it stands at one moment. */
export function renderPage(input: PageInput): string {
  const views = input.firewalls
    .map((status) => toView(status, input.now))
    .sort((one, other) => urgencyOf(one) - urgencyOf(other))
    .map((view) => hide(view, input));
  const { tone, findings } = toVerdict(views);
  const [only, second] = views;
  const isAlone = only !== undefined && second === undefined;
  const subject = isAlone ? only.status.target : "panos-ipsec-exporter";
  const heading = findings.map((text, index) =>
    markup`${index === 0 ? "" : ", "}<span>${text}</span>`
  );
  const renderAround = (sections: readonly Html[]): Html =>
    markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${REFRESH_S}">
<title>${findings.join(", ")} – ${subject}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1 class="is ${tone}">${heading}</h1>
<p>${describeFirewalls(views)} · ${describeAllTunnels(views)}</p>
</header>
<main>
${renderHold(input, views)}\
${isAlone ? undefined : renderIndex(views, input, sections.length)}\
${renderAdvice(views)}${sections}</main>
<footer>
<p>As of ${formatTime(input.now, input.now)}, \
${new Date(input.now * 1_000).toISOString().slice(0, 10)}. Renewed every \
${REFRESH_S} s. This page shows the last polls and starts none.</p>
<p>panos-ipsec-exporter ${input.version} · <a href="/metrics">/metrics</a> · \
<a href="/">all firewalls</a></p>
</footer>
</body>
</html>
`;
  const shown = isAlone ? views : views.filter((view) => !isWell(view));
  // without sections the index is longest: its links lead to other pages
  const room = input.isWhole ? Infinity : MAX_BYTES - renderAround([]).bytes;
  return renderAround(renderSections(shown, input, { isAlone, room }))
    .toString();
}

/**
 * Renders the sections that fit. Without their tunnels and changes all of them
 * come first, so that the lists of the worst firewalls do not crowd out others.
 *
 * @param room Bytes for all of them.
 */
function renderSections(
  views: readonly FirewallView[],
  input: PageInput,
  { isAlone, room }: { readonly isAlone: boolean; readonly room: number },
): readonly Html[] {
  const { now, metricsTarget, isWhole } = input;
  const render = (view: FirewallView, budget: Budget): Html =>
    renderFirewall(view, {
      now,
      metricsTarget,
      budget,
      isWhole,
      listsAll: isAlone || view.failure !== undefined,
    });
  const budget = {
    rows: isWhole ? Infinity : MAX_ROWS,
    changes: isWhole ? Infinity : MAX_CHANGES,
    bytes: room,
  };
  const kept: FirewallView[] = [];
  for (const view of views) {
    const { bytes } = render(view, { rows: 0, changes: 0, bytes: 0 });
    if (budget.bytes - bytes < room * SHARE_OF_LISTS) break;
    budget.bytes -= bytes;
    kept.push(view);
  }
  return kept.map((view) => render(view, budget));
}

/** Above all: an account that is about to be locked darkens a fleet. */
function renderHold(
  { hold, now }: PageInput,
  views: readonly FirewallView[],
): Html | undefined {
  if (hold === undefined || hold.endsAt <= now) return undefined;
  const served = views.filter(({ status }) => status.poll?.ok).length;
  const { remedy } = ADVICE.auth;
  const [end, length] = formatUntil(hold.endsAt, now);
  return markup`<section class="bad">
<h2>Logins held until ${end} (${length}) by \
${joinNames(hold.culprits)}; ${formatAmount(served, "firewall")} served over \
open sessions</h2>
<p>${remedy}</p>
</section>
`;
}

/** Once for each reason, and not once for each firewall. */
function renderAdvice(views: readonly FirewallView[]): Html | undefined {
  const reasons = reasonsOf(views);
  if (reasons.length === 0) return undefined;
  const items = reasons.map((reason) => {
    const { title, meaning, remedy } = ADVICE[reason];
    const names = views.filter(({ failure }) => failure?.reason === reason)
      .map(({ status }) => status.target);
    return markup`<div class="note bad">
<h3>${title}: ${joinNames(names)}</h3>
<p>${meaning}</p>
<p>${remedy}</p>
</div>
`;
  });
  return markup`<section class="bad" aria-label="What to do">
${items}</section>
`;
}

/**
 * One line for each firewall, the worst first.
 *
 * @param sections How many of them have a section on the page.
 */
function renderIndex(
  views: readonly FirewallView[],
  { now }: PageInput,
  sections: number,
): Html {
  let well = 0;
  const lines = views.flatMap((view, index) => {
    if (isWell(view) && ++well > MAX_WELL) return [];
    return [renderLine(view, now, index < sections)];
  });
  const others = views.length - lines.length;
  const rest = others === 0
    ? undefined
    : markup`<p>And ${
      formatAmount(others, "firewall")
    } with nothing to look at.</p>\n`;
  return markup`<nav aria-label="Firewalls">
<ul>
${lines}</ul>
${rest}</nav>
`;
}

function renderLine(
  view: FirewallView,
  now: number,
  hasSection: boolean,
): Html {
  const { status: { target }, tone, since } = view;
  const anchor = anchorOf(target);
  const id = hasSection ? undefined : markup` id="${anchor}"`;
  const path = hasSection ? `#${encodeURIComponent(anchor)}` : pathOf(target);
  const moment = since === undefined || isWell(view)
    ? ""
    : `, ${formatSince(since, now)}`;
  return markup`<li${id}><span class="is ${tone}"><a href="${path}">${target}</a>\
</span> ${describeFirewall(view)}${moment}</li>
`;
}

/** One firewall in a few words. */
function describeFirewall(view: FirewallView): string {
  const { failure, status: { history } } = view;
  if (view.isPending) return "not polled yet";
  if (failure !== undefined) return ADVICE[failure.reason].title;
  const parts = [describeCounts(view.counts)];
  if (view.isFaulty || view.isStandby) parts.unshift(history.haState ?? "");
  if (view.isStale) parts.push("not polled any more");
  if (view.areLoginsHeld) parts.push("logins held");
  return parts.join(", ");
}

function describeFirewalls(views: readonly FirewallView[]): string {
  const failing = views.filter(isFailing).length;
  const pending = views.filter((view) => view.isPending).length;
  const parts = [`${formatCount(views.length - failing - pending)} answering`];
  if (failing > 0) parts.push(`${formatCount(failing)} not`);
  if (pending > 0) parts.push(`${formatCount(pending)} not polled yet`);
  return `${formatAmount(views.length, "firewall")}, ${parts.join(", ")}`;
}

function describeAllTunnels(views: readonly FirewallView[]): string {
  const counts = countServing(views);
  const onStandby = views.filter((view) => view.isStandby);
  const standby = total(addCounts(onStandby.map(({ counts }) => counts)));
  const lastKnown = views.filter(isFailing)
    .reduce((sum, { tunnels }) => sum + tunnels.length, 0);
  const isUnknown = total(counts) === 0 &&
    views.some((view) => isFailing(view) || view.isPending);
  const parts = [isUnknown ? "no tunnel is known now" : describeCounts(counts)];
  if (standby > 0) {
    parts.push(`${formatCount(standby)} on standby, not counted`);
  }
  if (lastKnown > 0) {
    parts.push(`${formatCount(lastKnown)} last known, not counted`);
  }
  return parts.join(" · ");
}

function isFailing({ failure }: FirewallView): boolean {
  return failure !== undefined;
}
