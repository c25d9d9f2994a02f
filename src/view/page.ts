/**
 * The status page: what is known about each firewall, readable without
 * Grafana by somebody who has just been woken up.
 *
 * @module
 */

import {
  type FailedPoll,
  PHASES,
  type Poll,
  type Reason,
  type Status,
} from "../model/poll.ts";
import { STYLE } from "./page_style.ts";
import { escapeUnsafe } from "../std/quote.ts";
import type { Tunnel, TunnelState } from "../model/tunnel.ts";

/** What the page is made of. */
export interface PageInput {
  /** In the order in which firewalls in the same condition are shown. */
  readonly firewalls: readonly Status[];
  /** The target that `/metrics` polls; `/probe` serves all others. */
  readonly metricsTarget: string | undefined;
  /** Of the exporter. */
  readonly version: string;
  /** Unix time in seconds. */
  readonly now: number;
}

/** Seconds after which a browser asks for the page again. */
const REFRESH = 30;

/** With more tunnels than this the healthy ones are counted, not listed. */
const LISTED_TUNNELS = 500;

/** Seconds without a sample after which Prometheus forgets a series. */
const STALE_AFTER = 300;

/** How bad something is, worst first; also the classes of the style sheet. */
const TONES = ["bad", "warn", "idle", "good"] as const;
type Tone = (typeof TONES)[number];

/** What a tunnel can be said to be, worst first. */
const CONDITIONS = ["down", "unknown", "monitor down", "up", "split"] as const;
type Condition = (typeof CONDITIONS)[number];
type Counts = Readonly<Record<Condition, number>>;

const TONE_OF: Readonly<Record<Condition, Tone>> = {
  "down": "bad",
  "unknown": "warn",
  "monitor down": "warn",
  "up": "good",
  "split": "idle",
};

const STATES: Readonly<
  Record<TunnelState, { readonly word: string; readonly tone: Tone }>
> = {
  active: { word: "up", tone: "good" },
  inactive: { word: "down", tone: "bad" },
  unknown: { word: "unknown", tone: "warn" },
};

interface Advice {
  readonly title: string;
  readonly meaning: string;
  readonly remedy: string;
}

const ADVICE: Readonly<Record<Reason, Advice>> = {
  auth: {
    title: "login rejected",
    meaning:
      "The firewall rejected the login, asked an unexpected question or did not answer the credentials; or it did so before, and its logins are held.",
    remedy:
      "Look at the account on the firewall or its AAA server: password, expiry, lock. Once it works again, reload the exporter (systemctl reload), which ends the hold; if the password is another, correct it and restart, once.",
  },
  command: {
    title: "command refused",
    meaning:
      "The login worked, but the command line refused “show vpn flow” or answered it with an error.",
    remedy:
      "Run the command with the exporter’s account: it needs the role superreader or devicereader, a virtual-system role is not enough.",
  },
  connect: {
    title: "no connection",
    meaning: "No SSH connection came about; no password has been sent.",
    remedy:
      "From the exporter’s host, check the name, the route, the port and the permitted addresses of the management interface; a very old release may need SSH_LEGACY_ALGORITHMS.",
  },
  held: {
    title: "logins held",
    meaning:
      "Other firewalls rejected the account one after the other, so nobody is logged in to lest it be locked; nothing was sent to this firewall.",
    remedy:
      "There is nothing to do here: see the firewalls that the message names, and their AAA server. Once the account works again, reload the exporter (systemctl reload); if the password is another, correct it and restart, once.",
  },
  // deno-lint-ignore camelcase -- a value of the label "reason"
  host_key: {
    title: "host key not accepted",
    meaning:
      "The firewall showed another host key than the one pinned or first seen; no password has been sent.",
    remedy:
      "If it was replaced or upgraded, compare the fingerprint on its console and set SSH_HOST_KEY; if not, somebody may be in between: find out first.",
  },
  parse: {
    title: "reply not understood",
    meaning:
      "The reply is not one complete table of tunnels, so none of it is shown.",
    remedy:
      "The exporter’s log quotes the line; save the output of “show vpn flow”, try it with --parse and report it.",
  },
  session: {
    title: "no command line",
    meaning: "The login worked, but the firewall did not give a shell.",
    remedy:
      "Look with “show admins” for sessions left open, and compare with the number of sessions that the account may have.",
  },
  timeout: {
    title: "too slow",
    meaning: "The deadline of the scrape came before the answer.",
    remedy:
      "See below which phase took the time; look at the load of the management plane, and raise scrape_timeout in Prometheus when the firewall is just slow.",
  },
};

/** A tunnel with what the page concludes about it. */
interface Row {
  readonly tunnel: Tunnel;
  readonly condition: Condition;
}

/** A firewall with what the page concludes about it. */
interface View {
  readonly status: Status;
  /** In the order of the page. */
  readonly rows: readonly Row[];
  readonly counts: Counts;
  /** Of the firewall and its tunnels together. */
  readonly tone: Tone;
  readonly isStandby: boolean;
  /** Its data plane may be gone while its management plane answers. */
  readonly isEmpty: boolean;
  readonly isStale: boolean;
  readonly areLoginsHeld: boolean;
}

/** Renders the page as it stands at one moment. */
export function renderPage(input: PageInput): string {
  const views = input.firewalls
    .map((status) => toView(status, input.now))
    .sort((a, b) => urgencyOf(a) - urgencyOf(b));
  const listsAll = sum(views, ({ counts }) => total(counts)) <= LISTED_TUNNELS;
  const { tone, findings } = toVerdict(views);
  const [only, second] = views;
  const subject = only === undefined || second !== undefined
    ? "panos-ipsec-exporter"
    : only.status.target;
  const sections = views.map((view, index) =>
    renderFirewall(view, { ...input, listsAll, id: `firewall-${index + 1}` })
  );

  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${REFRESH}">
<title>${escapeText(`${findings.join(", ")} – ${subject}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1 class="is ${tone}">\
${findings.map((text) => `<span>${text}</span>`).join(", ")}</h1>
<p>${describeFirewalls(views)} · ${describeAllTunnels(views)}</p>
</header>
<main>
${sections.join("")}</main>
<footer>
<p>As of ${renderTime(input.now)}, renewed every ${REFRESH} s. This page shows \
the last polls and starts none.</p>
<p>panos-ipsec-exporter ${escapeText(input.version)} · \
<a href="/metrics">/metrics</a></p>
</footer>
</body>
</html>
`;
}

function toView(status: Status, now: number): View {
  const { poll } = status;
  const rows = poll?.ok ? toRows(poll.flow.tunnels) : [];
  const counts = countRows(rows);
  const isStandby = poll !== undefined && isOnStandby(poll);
  const isEmpty = poll?.ok === true && rows.length === 0 && !isStandby;
  const isStale = poll !== undefined && now - poll.finishedAt > STALE_AFTER;
  const { authRetryAt } = status;
  const areLoginsHeld = authRetryAt !== undefined && authRetryAt > now;

  const worst = CONDITIONS.find((condition) => counts[condition] > 0);
  let tone = worst === undefined || isStandby ? "idle" : TONE_OF[worst];
  if (poll?.ok === false) tone = "bad";
  if (tone !== "bad" && (isEmpty || isStale || areLoginsHeld)) tone = "warn";
  return {
    status,
    rows,
    counts,
    tone,
    isStandby,
    isEmpty,
    isStale,
    areLoginsHeld,
  };
}

/** Rank on the page: a firewall that does not answer hides all its tunnels. */
function urgencyOf(view: View): number {
  return isFailing(view) ? -1 : TONES.indexOf(view.tone);
}

/**
 * A firewall on standby carries no traffic, so that the state of its tunnels
 * means nothing. The alerts leave it out by the same rule.
 */
function isOnStandby(poll: Poll): boolean {
  return poll.ok && poll.haState !== undefined &&
    !poll.haState.startsWith("active");
}

/**
 * A tunnel with proxy IDs has a row for each, `name:id`, and its own row may
 * read inactive for ever: it is "split", and its proxy IDs are what counts.
 * The alerts leave it out by the same rule.
 */
function toRows(tunnels: readonly Tunnel[]): Row[] {
  const split = new Set(
    tunnels.map(({ name }) =>
      /^(?<tunnel>.+?):./.exec(name)?.groups?.["tunnel"]
    ),
  );
  return tunnels
    .map((tunnel) => ({
      tunnel,
      condition: tunnel.state !== "active" && split.has(tunnel.name)
        ? "split" as const
        : conditionOf(tunnel),
    }))
    .sort((a, b) =>
      CONDITIONS.indexOf(a.condition) - CONDITIONS.indexOf(b.condition)
    );
}

function conditionOf({ state, monitor }: Tunnel): Condition {
  if (state === "inactive") return "down";
  if (state === "unknown") return "unknown";
  return monitor === "down" ? "monitor down" : "up";
}

const NO_TUNNELS: Counts = {
  "down": 0,
  "unknown": 0,
  "monitor down": 0,
  "up": 0,
  "split": 0,
};

function countRows(rows: readonly Row[]): Counts {
  const counts = { ...NO_TUNNELS };
  for (const { condition } of rows) counts[condition]++;
  return counts;
}

function addCounts(views: readonly View[]): Counts {
  const counts = { ...NO_TUNNELS };
  for (const condition of CONDITIONS) {
    counts[condition] = sum(views, (view) => view.counts[condition]);
  }
  return counts;
}

/** What has to be known first: the heading, and the tab of the browser. */
interface Verdict {
  readonly tone: Tone;
  readonly findings: readonly string[];
}

function toVerdict(views: readonly View[]): Verdict {
  const counts = addCounts(views.filter((view) => !view.isStandby));
  const amount = (test: (view: View) => boolean): number =>
    views.filter(test).length;
  const faults: readonly Finding[] = [
    [amount(isFailing), "firewall", "failing"],
    [counts["down"], "tunnel", "down"],
    [counts["unknown"], "tunnel", "unknown"],
    [counts["monitor down"], "tunnel monitor", "down"],
    [amount((view) => view.isEmpty), "firewall", "without tunnels"],
    [
      amount((view) => view.areLoginsHeld && !isFailing(view)),
      "firewall",
      "with logins held back",
    ],
    [
      amount((view) => view.isStale),
      "firewall",
      `not polled for over ${formatSpan(STALE_AFTER)}`,
    ],
  ];
  const findings = faults.filter(([amount]) => amount > 0).map(describe);
  const [worst] = views;
  if (worst !== undefined && findings.length > 0) {
    return { tone: worst.tone, findings };
  }

  const pending = amount(isPending);
  if (pending > 0) {
    const finding = describe([pending, "firewall", "not polled yet"]);
    return { tone: "idle", findings: [finding] };
  }
  if (counts.up === 0) {
    const finding = describe([views.length, "firewall", "on standby"]);
    return { tone: "idle", findings: [finding] };
  }
  const finding = describe([counts.up, "tunnel", "up"]);
  return {
    tone: "good",
    findings: [counts.up === 1 ? finding : `All ${finding}`],
  };
}

type Finding = readonly [amount: number, noun: string, what: string];

function describe([amount, noun, what]: Finding): string {
  return `${plural(amount, noun)} ${what}`;
}

function isFailing({ status }: View): boolean {
  return status.poll?.ok === false;
}

function isPending({ status }: View): boolean {
  return status.poll === undefined;
}

function describeFirewalls(views: readonly View[]): string {
  const failing = views.filter(isFailing).length;
  const pending = views.filter(isPending).length;
  const parts = [`${views.length - failing - pending} up`];
  if (failing > 0) parts.push(`${failing} failing`);
  if (pending > 0) parts.push(`${pending} not polled yet`);
  return `${plural(views.length, "firewall")}, ${parts.join(", ")}`;
}

function describeAllTunnels(views: readonly View[]): string {
  const serving = addCounts(views.filter((view) => !view.isStandby));
  const standby = addCounts(views.filter((view) => view.isStandby));
  const text = describeTunnels(serving);
  return total(standby) === 0
    ? text
    : `${text} · ${total(standby)} on standby, not counted`;
}

function describeTunnels(counts: Counts): string {
  if (total(counts) === 0) return "no tunnels known";
  const parts = [`${counts["up"]} up`];
  for (const condition of ["down", "unknown"] as const) {
    if (counts[condition] > 0) parts.push(`${counts[condition]} ${condition}`);
  }
  const monitors = counts["monitor down"];
  if (monitors > 0) parts.push(`${monitors} up with the monitor down`);
  if (counts.split > 0) parts.push(`${counts.split} split into proxy IDs`);
  return `${plural(total(counts), "tunnel")}: ${parts.join(", ")}`;
}

interface Place {
  readonly id: string;
  readonly now: number;
  readonly listsAll: boolean;
  readonly metricsTarget: string | undefined;
}

function renderFirewall(view: View, place: Place): string {
  const { target, poll } = view.status;
  const path = target === place.metricsTarget
    ? "/metrics"
    : `/probe?target=${encodeURIComponent(target)}`;
  const haState = poll?.ok ? poll.haState : undefined;
  return `<section class="${view.tone}" aria-labelledby="${place.id}">
<div class="head">
<h2 id="${place.id}">${renderText(target)}</h2>
${renderState(poll)}
${haState === undefined ? "" : `<p>HA ${renderText(haState)}</p>\n`}\
<a href="${escapeText(path)}" aria-label="Metrics of ${escapeText(target)}">\
Metrics</a>
</div>
${renderNotes(view, place.now)}${renderFacts(view.status, place.now)}\
${renderTunnels(view, place)}</section>
`;
}

function renderState(poll: Poll | undefined): string {
  if (poll === undefined) return '<p class="is idle">not polled yet</p>';
  return poll.ok
    ? '<p class="is good">up</p>'
    : `<p class="is bad">failing: ${ADVICE[poll.reason].title}</p>`;
}

function renderNotes(view: View, now: number): string {
  const { poll, authRetryAt } = view.status;
  let notes = "";
  if (poll === undefined) {
    notes += "<p>Its first scrape polls it: does Prometheus scrape it?</p>\n";
  } else if (!poll.ok) {
    notes += renderAdvice(poll);
  }
  if (view.isEmpty) {
    notes += renderWarning(
      "The firewall says that it has no tunnels; if it should have some, look at its data plane.",
    );
  }
  if (view.areLoginsHeld && authRetryAt !== undefined) {
    notes += renderWarning(
      `No login before ${renderTime(authRetryAt)}, in ${
        formatSpan(authRetryAt - now)
      }: logins are held back so that the account is not locked.`,
    );
  }
  if (view.isStale) {
    notes += renderWarning(
      "What stands here is old: does Prometheus still scrape this firewall?",
    );
  }
  return notes;
}

function renderAdvice({ reason, message }: FailedPoll): string {
  const { meaning, remedy } = ADVICE[reason];
  return `<div class="note bad">
<p>${meaning}</p>
<p>${remedy}</p>
<p class="mono">${renderText(message)}</p>
</div>
`;
}

function renderWarning(html: string): string {
  return `<p class="note warn">${html}</p>\n`;
}

function renderFacts(status: Status, now: number): string {
  const { poll, lastSuccessAt, loginDuration, logins } = status;
  const facts: (readonly [name: string, value: string, detail: string])[] = [];
  if (poll !== undefined) {
    facts.push(["Last polled", ...renderMoment(poll.finishedAt, now)]);
    if (!poll.ok) {
      facts.push([
        "Last success",
        ...(lastSuccessAt === undefined
          ? ["none", "since the exporter started"] as const
          : renderMoment(lastSuccessAt, now)),
      ]);
    }
    facts.push(["Poll took", ...renderDurations(poll)]);
  }
  facts.push([
    "Last login took",
    loginDuration === undefined ? "–" : formatDuration(loginDuration),
    `${plural(logins, "login")} tried so far`,
  ]);
  const items = facts.map(([name, value, detail]) =>
    `<div><dt>${name}</dt><dd>${value} <small>${detail}</small></dd></div>\n`
  );
  return `<dl>\n${items.join("")}</dl>\n`;
}

function renderMoment(
  time: number,
  now: number,
): readonly [value: string, detail: string] {
  const age = now - time;
  return [age < 1 ? "just now" : `${formatSpan(age)} ago`, renderTime(time)];
}

/** Only the phases that took time: the others were not reached or needed. */
function renderDurations(
  { durations }: Poll,
): readonly [value: string, detail: string] {
  const taken = PHASES.filter((phase) => durations[phase] > 0);
  if (taken.length === 0) return ["no time", "nothing was sent"];
  const phases = taken.map((phase) =>
    `<span>${phase} ${formatDuration(durations[phase])}</span>`
  );
  const whole = formatDuration(sum(taken, (phase) => durations[phase]));
  const [first] = taken;
  return [
    whole,
    (first === "command" ? "on a kept session: " : "") + phases.join(", "),
  ];
}

function renderTunnels(view: View, { listsAll }: Place): string {
  const { rows, counts, isStandby } = view;
  if (rows.length === 0) return "";
  const listed = listsAll ? rows : rows.filter((row) => isFault(row, view));
  let summary = describeTunnels(counts);
  if (isStandby) summary += "; on standby, hence not counted above";
  if (listed.length < rows.length) {
    summary +=
      `; with more than ${LISTED_TUNNELS} on this page, only faults are listed`;
  }
  if (listed.length === 0) return `<p>${summary}</p>\n`;
  return `<table>
<caption>${summary}</caption>
<thead><tr><th scope="col">State</th><th scope="col">Tunnel</th>\
<th scope="col">Interface</th><th scope="col">Peer</th>\
<th scope="col">Local</th><th scope="col">Monitor</th>\
<th scope="col">ID</th></tr></thead>
<tbody>
${listed.map((row) => renderRow(row, view)).join("")}</tbody>
</table>
`;
}

function isFault({ condition }: Row, { isStandby }: View): boolean {
  return !isStandby && condition !== "up" && condition !== "split";
}

function renderRow(row: Row, view: View): string {
  const { tunnel, condition } = row;
  const { word, tone } = STATES[tunnel.state];
  const counts = !view.isStandby && condition !== "split";
  const monitor = tunnel.monitor === "down" && counts
    ? '<span class="is warn">down</span>'
    : renderText(tunnel.monitor);
  return `<tr class="${counts ? TONE_OF[condition] : "idle"}">\
<td><span class="is ${counts ? tone : "idle"}">${word}</span>\
${renderRemark(row)}</td>\
<th scope="row">${renderText(tunnel.name)}</th>\
<td>${renderText(tunnel.interfaceName)}</td>\
<td class="mono">${renderText(tunnel.peerIp)}</td>\
<td class="mono">${renderText(tunnel.localIp)}</td>\
<td>${monitor}</td>\
<td>${renderText(tunnel.id)}</td></tr>
`;
}

/** What the word for the state leaves open. */
function renderRemark({ tunnel, condition }: Row): string {
  if (condition === "split") return "<small>its proxy IDs count</small>";
  if (condition !== "unknown") return "";
  const meaning = tunnel.stateWord === "init"
    ? ": IKE is up, IPsec is not"
    : "";
  return `<small>${renderText(tunnel.stateWord)}${meaning}</small>`;
}

function renderTime(time: number): string {
  const iso = new Date(time * 1000).toISOString().slice(0, 19);
  return `<time datetime="${iso}Z">${iso.replace("T", " ")} UTC</time>`;
}

/** Text from outside: isolated, so that it cannot reorder what is around it. */
function renderText(text: string): string {
  return `<bdi>${escapeText(text)}</bdi>`;
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&#39;"],
]);

function escapeText(text: string): string {
  return escapeUnsafe(text).replace(
    /[&<>"']/g,
    (character) => ENTITIES.get(character) ?? "",
  );
}

/** A length of time, as precise as one needs it. */
function formatSpan(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** Time spent on something, as precise as it was measured for. */
function formatDuration(seconds: number): string {
  if (seconds < 1) return `${Math.ceil(seconds * 1_000)} ms`;
  return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
}

function plural(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}

function total(counts: Counts): number {
  return sum(CONDITIONS, (condition) => counts[condition]);
}

function sum<T>(items: readonly T[], amount: (item: T) => number): number {
  return items.reduce((result, item) => result + amount(item), 0);
}
