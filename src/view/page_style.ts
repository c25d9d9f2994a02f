/**
 * How the status page looks, in light and dark, wide and narrow.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { markup } from "./html.ts";

/** The style sheet of the status page. */
export const STYLE = markup`
:root {
  color-scheme: light dark;
  --page: #f4f6f7; --card: #fff; --rule: #dde2e6;
  --ink: #1b2126; --soft: #56616b; --link: #0b5cad;
  --bad: #b3231b; --warn: #865200; --idle: #56616b; --good: #1b6b40;
  --bad-tint: #fdf1f0; --warn-tint: #fdf6e8;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans",
    sans-serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono",
    monospace;
  --small: 0.8125rem;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1316; --card: #171c21; --rule: #2a323a;
    --ink: #e1e6ea; --soft: #9ba7b2; --link: #7db8f5;
    --bad: #ff938a; --warn: #efb45a; --idle: #9ba7b2; --good: #72ca98;
    --bad-tint: #2b1a1b; --warn-tint: #292114;
  }
}
* { box-sizing: border-box; margin: 0; }
body {
  max-width: 78rem; margin: 0 auto; padding: 2rem 1.5rem;
  background: var(--page); color: var(--ink);
  font: 0.9375rem/1.5 var(--sans); font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere;
}
a { color: var(--link); text-underline-offset: 0.2em; }
a:focus-visible {
  outline: 2px solid var(--link); outline-offset: 3px; border-radius: 2px;
}
h1, h2, h3, .is { font-weight: 600; }
h1 {
  padding-left: 1.125em; text-indent: -1.125em;
  font-size: clamp(1.5rem, 1.2rem + 1.5vw, 2rem);
  line-height: 1.25; letter-spacing: -0.015em;
}
h1 span { white-space: nowrap; }
bdi { white-space: pre-wrap; }
h2 { font-size: 1.1875rem; line-height: 1.35; }
header p { margin-top: 0.5rem; font-size: 1.0625rem; }
header, section { margin-bottom: 1.5rem; }
footer, dt, caption, thead { font-size: var(--small); }
footer, dt, caption, thead, header p { color: var(--soft); }
footer p + p { margin-top: 0.25rem; }

section {
  padding: 1.25rem 1.5rem; background: var(--card);
  border: 1px solid var(--rule); border-left: 4px solid var(--tone);
  border-radius: 6px;
}
section > * + * { margin-top: 1rem; }
.head {
  display: flex; flex-wrap: wrap; align-items: baseline;
  gap: 0.25rem 1.25rem;
}
.head a { margin-left: auto; }
.note { padding: 0.75rem 1rem; border-radius: 4px; background: var(--tint); }
.note p { max-width: 60rem; }
.note p + p { margin-top: 0.375rem; }
.mono, tbody > tr > :nth-child(5), tbody > tr > :nth-child(6) {
  font: 0.9em/1.5 var(--mono);
}

.bad { --tone: var(--bad); --tint: var(--bad-tint); }
.warn { --tone: var(--warn); --tint: var(--warn-tint); }
.idle { --tone: var(--idle); --tint: transparent; }
.good { --tone: var(--good); --tint: transparent; }
.is { color: var(--tone); }
.is::before {
  display: inline-block; width: 1.25em; font-size: 0.9em; text-indent: 0;
}
/* The shape stands beside a word: "" keeps it out of what is read aloud. */
.is.bad::before { content: "▼"; content: "▼" / ""; }
.is.warn::before { content: "◆"; content: "◆" / ""; }
.is.idle::before { content: "○"; content: "○" / ""; }
.is.good::before { content: "▲"; content: "▲" / ""; }

dl { display: flex; flex-wrap: wrap; gap: 0.75rem 2.5rem; }

nav ul, details ul { padding: 0; list-style: none; }
nav { margin-bottom: 1.5rem; }
nav ul { columns: 28rem; column-gap: 2.5rem; }
nav li {
  padding: 0.25rem 0 0.25rem 1.25em; text-indent: -1.25em;
  border-bottom: 1px solid var(--rule); break-inside: avoid;
}
nav li:target { background: var(--card); }
nav .is a { color: inherit; }
h3 { font-size: 1em; }
summary { color: var(--soft); font-size: var(--small); cursor: pointer; }
details li { padding-left: 0.75rem; }

table { width: 100%; border-collapse: collapse; table-layout: fixed; }
caption { padding-bottom: 0.5rem; text-align: left; }
th, td {
  padding: 0.4375rem 0.75rem 0.4375rem 0; border-top: 1px solid var(--rule);
  text-align: left; vertical-align: baseline; white-space: pre-wrap;
}
th { font-weight: 400; }
tr.bad th, tr.warn th { font-weight: 600; }
tbody tr { background: var(--tint); }
thead th { border: 0; padding-top: 0; }
tr > :nth-child(1) { width: 14%; padding-left: 0.75rem; }
tbody tr > :nth-child(1) { color: var(--tone); }
tbody tr > :nth-child(1)::before {
  display: inline-block; width: 1.25em; font-size: 0.9em;
}
tr.bad > :nth-child(1)::before { content: "▼"; content: "▼" / ""; }
tr.warn > :nth-child(1)::before { content: "◆"; content: "◆" / ""; }
tr.idle > :nth-child(1)::before { content: "○"; content: "○" / ""; }
tr.good > :nth-child(1)::before { content: "▲"; content: "▲" / ""; }
tr > :nth-child(3) { width: 18.5%; }
tr > :nth-child(4) { width: 9%; }
tr > :nth-child(5), tr > :nth-child(6) { width: 12.5%; }
tr > :nth-child(7) { width: 7%; }
tr > :nth-child(8) { width: 5%; }

@media (max-width: 60rem) {
  body { padding: 1.25rem 0.75rem; }
  h1 span { white-space: normal; }
  section { padding: 1rem; }
  dl { flex-direction: column; gap: 0.5rem; }
  table, caption, tbody { display: block; }
  thead {
    position: absolute; width: 1px; height: 1px;
    overflow: hidden; clip-path: inset(50%);
  }
  tbody tr {
    display: flex; flex-wrap: wrap; align-items: baseline;
    gap: 0.125rem 1.25rem; padding: 0.5rem 0.75rem;
    border-top: 1px solid var(--rule);
  }
  tbody tr > :nth-child(n) { width: auto; padding: 0; border: 0; }
  tbody tr > :nth-child(1) { width: 8rem; }
  tbody tr > :nth-child(2) { width: calc(100% - 9.25rem); }
  tbody tr > :nth-child(n + 3)::before {
    margin-right: 0.5em; font: var(--small)/1.5 var(--sans);
    color: var(--soft);
  }
  tbody tr > :nth-child(3)::before { content: "Since (UTC)" / ""; }
  tbody tr > :nth-child(4)::before { content: "Interface" / ""; }
  tbody tr > :nth-child(5)::before { content: "Peer" / ""; }
  tbody tr > :nth-child(6)::before { content: "Local" / ""; }
  tbody tr > :nth-child(7)::before { content: "Monitor" / ""; }
  tbody tr > :nth-child(8)::before { content: "ID" / ""; }
}
`;

/**
 * Value of the `Content-Security-Policy` header of the page, which has its own
 * style sheet and nothing else.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${
    createHash("sha256").update(STYLE.toString()).digest("base64")
  }'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");
