/**
 * An examination as an operator reads it: what was asked, what was found, what
 * is wrong, what to do.
 *
 * @module
 */

import type { Tunnel } from "../model/tunnel.ts";
import { describeState, monitorInWords } from "../model/tunnel_words.ts";
import { escapeUnsafe, type Mask } from "../std/quote.ts";
import { formatDuration } from "../view/format.ts";
import type { Difference } from "./compare.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { type Examined, type Findings, isTable } from "./findings.ts";

/** What an examination has come to. */
export interface Report {
  readonly findings: Findings;
  readonly diagnosis: Diagnosis;
  /** What the log has advised meanwhile. */
  readonly advice: readonly string[];
}

/** Characters of a text from the firewall that are shown. */
const MAX_LENGTH = 128;

/** Writes the report; its last line is the verdict. */
export function writeReport(
  { findings, diagnosis, advice }: Report,
  mask: Mask,
): string {
  const show = (text: string): string => showSafely(mask(text));
  const { tunnels, found, wrong, differences, remedies } = diagnosis;
  const todo = [...remedies, ...advice];
  const rows = differences.flatMap((one) => showDifference(one, show));
  const parts = [
    showFacts(findings),
    tunnels === undefined || tunnels.length === 0
      ? []
      : showTunnels(tunnels, show),
    section("Found", found),
    [...section("Wrong", wrong), ...rows.map((row) => `  ${row}`)],
    section("To do", todo.length === 0 ? ["Nothing."] : todo),
    [verdictOf(findings, diagnosis)],
  ];
  return parts.filter(({ length }) => length > 0)
    .map((lines) => `${lines.join("\n")}\n`).join("\n");
}

/** "fw1: ok: 6 tunnels: 4 up, 2 down". */
export function verdictOf(
  { target }: Findings,
  { isGood, verdict }: Diagnosis,
): string {
  return `${target}: ${isGood ? "ok" : "not ok"}: ${verdict}`;
}

function showFacts(findings: Findings): readonly string[] {
  const { target, durations, loginError } = findings;
  const answers = loginError === undefined
    ? showAnswers(findings)
    : [["Asked", "nothing: the login failed"]] as const;
  const took = durations
    .map(({ step, seconds }) => `${step} ${formatDuration(seconds)}`).join(
      ", ",
    );
  return [["Firewall", target], ...answers, ["Took", took] as const]
    .filter(([, fact]) => fact !== undefined && fact !== "")
    .map(([title = "", fact = ""]) => `${title.padEnd(10)}${fact}`);
}

function showAnswers(
  { negotiated, haState, text, xml, textAgain }: Examined,
): readonly (readonly [title: string, fact: string | undefined])[] {
  const forms = ["as text"];
  if (xml !== undefined) forms.push("in XML");
  if (textAgain !== undefined) forms.push("as text again");
  const { kex, hostKey, cipher, mac } = negotiated;
  const algorithms = [kex, hostKey, cipher, mac].filter((name) => name !== "");
  return [
    ["Asked", `"show vpn flow" ${forms.join(", ")}`],
    ["SSH", algorithms.map(escapeUnsafe).join(", ")],
    ["HA state", haState],
    ["Layout", showLayout(text, xml)],
  ];
}

function showLayout(
  text: Examined["text"],
  xml: Examined["xml"],
): string | undefined {
  if (isTable(text)) {
    if (text.columns.length === 0) return "text without a header";
    const columns = text.columns.map(({ name, width }) =>
      width === undefined ? name : `${name} (${width})`
    );
    return `text: ${columns.map(showSafely).join(", ")}`;
  }
  return isTable(xml) ? "XML; the text is not understood" : undefined;
}

type Show = (text: string) => string;

const TITLES = [
  "id",
  "tunnel",
  "state",
  "monitor",
  "interface",
  "local",
  "peer",
];

function showTunnels(
  tunnels: readonly Tunnel[],
  show: Show,
): readonly string[] {
  return align([TITLES, ...tunnels.map((tunnel) => toCells(tunnel, show))]);
}

function toCells(tunnel: Tunnel, show: Show): readonly string[] {
  return [
    tunnel.id,
    tunnel.name,
    describeState(tunnel),
    monitorOf(tunnel),
    tunnel.interfaceName,
    tunnel.localIp,
    tunnel.peerIp,
  ].map((cell) => cell === "" ? "-" : show(cell));
}

function monitorOf(tunnel: Tunnel): string {
  const word = monitorInWords(tunnel);
  return word === "unknown" ? tunnel.monitor || "?" : word;
}

/** Both rows, one below the other, as the firewall printed their words. */
function showDifference(
  { id, text, xml, fields }: Difference,
  show: Show,
): readonly string[] {
  const title = fields.length > 0
    ? `id ${show(id)} differs in ${fields.join(", ")}`
    : `id ${show(id)} stands only in the ${
      text === undefined ? "XML" : "text"
    }`;
  const cells = (form: string, row: Tunnel | undefined): readonly string[] =>
    row === undefined ? [form, "(no such row)"] : [
      form,
      ...[
        row.id,
        row.name,
        row.stateWord,
        row.monitor,
        row.interfaceName,
        row.localIp,
        row.peerIp,
      ].map((cell) => cell === "" ? "-" : show(cell)),
    ];
  return [title, ...align([cells("  text", text), cells("  XML", xml)])];
}

/** Puts cells below each other, two blanks apart. */
function align(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [n, cell] of row.entries()) {
      widths[n] = Math.max(widths[n] ?? 0, lengthOf(cell));
    }
  }
  return rows.map((row) =>
    row.map((cell, n) => cell + " ".repeat((widths[n] ?? 0) - lengthOf(cell)))
      .join("  ").trimEnd()
  );
}

function lengthOf(text: string): number {
  return [...text].length;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}

function showSafely(text: string): string {
  const isLong = text.length > MAX_LENGTH;
  return escapeUnsafe(isLong ? `${text.slice(0, MAX_LENGTH)}…` : text);
}
