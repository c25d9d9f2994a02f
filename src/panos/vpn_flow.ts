/**
 * Parser for the PAN-OS command `show vpn flow`: text in, tunnels out.
 *
 * A reply is read completely or not at all. Before its first count, or header,
 * anything may stand: a banner, the command's echo. From there to the prompt
 * or the end every line must be accounted for, and the firewall's own count
 * must agree with the number of rows.
 *
 * The text must be clean: no escape sequences, no tabs.
 *
 * @module
 */

import { quote } from "../std/quote.ts";
import { isPagerPrompt } from "./pager.ts";
import type { Tunnel, VpnFlow } from "../model/tunnel.ts";
import { type Header, isHeader, parseHeader, readRow } from "./vpn_flow_row.ts";

/** Thrown for a reply that is not one complete table. */
export class VpnFlowError extends Error {
  override readonly name = "VpnFlowError";
  /** `command` if the firewall refused the command, else `parse`. */
  readonly reason: "command" | "parse";

  constructor(reason: "command" | "parse", message: string) {
    super(message);
    this.reason = reason;
  }
}

/** No row comes near this length, and no longer line is looked into. */
const MAX_LINE_LENGTH = 4_096;

const COUNT =
  /^ *total IPSec tunnels? (?<what>configured|shown): *(?<count>[0-9]{1,9}) *$/i;

/** Lines around the counts: other totals, the filter, the data plane. */
const PREAMBLE = /^ *(?:total [^:]*: *[0-9]+ *$|filter\b|target-dp:)/i;

const RULER = /^[ -]+$/;

const ROW = /^ *[0-9]/;

const BLANK = /^ *$/;

const ECHO = /(?:^|[>#]) *show vpn flow *$/;

/** A prompt with whatever was typed at it: `user@fw(active)> exit`. */
const PROMPT = /^[^ @]+@[^>#]*[>#]/;

/** How the CLI begins when it refuses a command or fails to run it. */
const REFUSAL =
  /^ *(?:invalid syntax|invalid command|unknown command|server error|validation error|permission denied|access denied|not authorized|you do not have|command not (?:allowed|permitted))/i;

/** Whether the CLI refuses a command with this line, or fails to run it. */
export function isRefusal(line: string): boolean {
  return REFUSAL.test(line);
}

/** Whether a line ends in the command, as it was typed and echoed. */
export function isCommandEcho(line: string): boolean {
  return ECHO.test(line);
}

/**
 * Reads the tunnels out of a reply, in the order the firewall lists them.
 *
 * The echo of the command and prompts may stand around the reply, as they do
 * in a capture. A reply that was cut between two of
 * several complete tables cannot be told from a shorter one, so whoever reads
 * from a session waits for the prompt.
 *
 * @param lines Without their ends. The last one is what has come since the last
 * line end: a reply that ends where it should ends in an empty one.
 * @throws {VpnFlowError} If the reply is not complete or leaves any doubt.
 */
export function parseVpnFlow(lines: readonly string[]): VpnFlow {
  return readTables(lines, findFirstTable(lines));
}

/** Finds the line where the reply itself begins, past echo and banner. */
function findFirstTable(lines: readonly string[]): number {
  let refused: string | undefined;
  let lastWords: string | undefined;
  for (let index = 0; index < lines.length; index++) {
    const line = lineAt(lines, index);
    if (line.length > MAX_LINE_LENGTH) continue;
    if (isPagerPrompt(line)) throw pagerFailure(line, index);
    if (ECHO.test(line)) {
      // What an earlier command printed is no part of this reply.
      refused = lastWords = undefined;
    } else if (isTableStart(line)) {
      if (refused !== undefined) throw commandFailure(refused);
      return index;
    } else if (REFUSAL.test(line)) {
      refused ??= line;
    } else if (!BLANK.test(line) && !PROMPT.test(line)) {
      lastWords = line;
    }
  }
  if (refused !== undefined) throw commandFailure(refused);
  const said = lastWords === undefined ? "" : `, but ${quote(lastWords)}`;
  throw parseFailure(`it holds no table${said}`);
}

/** How far the tables of a reply were read. */
interface Progress {
  readonly tunnels: Tunnel[];
  /** Of the table being read; `undefined` outside of tables. */
  header: Header | undefined;
  isBelowRow: boolean;
  /** Sum of what was counted so far; `undefined` where a count is missing. */
  shown: number | undefined;
  configured: number | undefined;
  /** A "configured" that waits for the "shown" that follows it. */
  pending: number | undefined;
}

/** Reads all lines from the first count or header to the prompt or the end. */
function readTables(lines: readonly string[], first: number): VpnFlow {
  const progress: Progress = {
    tunnels: [],
    header: undefined,
    isBelowRow: false,
    shown: undefined,
    configured: 0,
    pending: undefined,
  };
  let index = first;
  for (; index < lines.length; index++) {
    const line = lineAt(lines, index);
    if (BLANK.test(line)) continue;
    if (PROMPT.test(line)) break;
    const problem = index === lines.length - 1
      ? "the text ends within a line"
      : readLine(line, progress);
    if (problem !== undefined) throw failure(problem, line, index);
  }
  checkCounts(progress);
  checkBelowPrompt(lines, index + 1);
  const { tunnels, configured } = progress;
  return { tunnels, configured };
}

/** Takes in one line of a table; returns what is wrong with it, if anything. */
function readLine(line: string, progress: Progress): string | undefined {
  if (line.length > MAX_LINE_LENGTH) return "no line of a table is this long";
  if (progress.header !== undefined && ROW.test(line)) {
    progress.isBelowRow = true;
    const readings = readRow(line, progress.header);
    progress.tunnels.push(...readings);
    if (readings.length === 1) return undefined;
    return readings.length === 0
      ? "the row does not fit the header"
      : "the row can be read in more than one way";
  }
  if (RULER.test(line) && !progress.isBelowRow) return undefined;
  progress.isBelowRow = false;
  if (isHeader(line)) {
    const header = parseHeader(line);
    if (typeof header === "string") return header;
    progress.header = header;
    return undefined;
  }
  progress.header = undefined;
  const count = COUNT.exec(line)?.groups;
  if (count !== undefined) return addCount(count, progress);
  return PREAMBLE.test(line) ? undefined : "this is no part of a table";
}

/** Each of several tables, one for each data plane, has its own counts. */
function addCount(
  { what = "", count }: Readonly<Record<string, string>>,
  progress: Progress,
): string | undefined {
  if (what.toLowerCase() === "configured") {
    if (progress.pending !== undefined) return "the same count comes again";
    progress.pending = Number(count);
    return undefined;
  }
  const { tunnels, shown, configured, pending } = progress;
  if (shown !== undefined && shown !== tunnels.length) {
    return countMismatch(shown, tunnels.length);
  }
  progress.shown = (shown ?? 0) + Number(count);
  progress.configured = configured === undefined || pending === undefined
    ? undefined
    : configured + pending;
  progress.pending = undefined;
  return undefined;
}

function checkCounts({ tunnels, shown, pending }: Progress): void {
  if (shown === undefined || pending !== undefined) {
    throw parseFailure("it does not say how many tunnels it shows");
  }
  if (shown !== tunnels.length) {
    throw parseFailure(countMismatch(shown, tunnels.length));
  }
}

function countMismatch(shown: number, rows: number): string {
  return `the firewall counted ${shown}, read ${rows}`;
}

/** What follows a prompt is another command's, unless it is one more table. */
function checkBelowPrompt(lines: readonly string[], first: number): void {
  for (let index = first; index < lines.length; index++) {
    const line = lineAt(lines, index);
    if (isTableStart(line)) {
      throw failure("a second table stands below the prompt", line, index);
    }
  }
}

function isTableStart(line: string): boolean {
  return line.length <= MAX_LINE_LENGTH && (COUNT.test(line) || isHeader(line));
}

function lineAt(lines: readonly string[], index: number): string {
  const line = lines[index] ?? "";
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

/** A line that is amiss may be a refusal or a pager, and is then named so. */
function failure(problem: string, line: string, index: number): VpnFlowError {
  if (REFUSAL.test(line)) return commandFailure(line);
  if (isPagerPrompt(line)) return pagerFailure(line, index);
  return parseFailure(`${problem}, in ${quote(line)}`, index);
}

function commandFailure(line: string): VpnFlowError {
  const message = `Cannot run "show vpn flow": the firewall answers ${
    quote(line)
  }`;
  return new VpnFlowError("command", message);
}

function pagerFailure(line: string, index: number): VpnFlowError {
  const problem = "the pager of the CLI was not switched off";
  return parseFailure(`${problem}, in ${quote(line)}`, index);
}

function parseFailure(problem: string, index?: number): VpnFlowError {
  const place = index === undefined ? "" : ` at line ${index + 1}`;
  const message =
    `Cannot read the reply to "show vpn flow"${place}: ${problem}`;
  return new VpnFlowError("parse", message);
}
