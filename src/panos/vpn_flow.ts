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

import type { Tunnel, VpnFlow } from "../model/tunnel.ts";
import {
  isCommandEcho,
  isPagerPrompt,
  isPrompt,
  isRefusal,
  isSystemMessage,
} from "./cli_messages.ts";
import {
  countMismatch,
  failuresIn,
  type VpnFlowError,
} from "./vpn_flow_error.ts";
import {
  findHeaderProblem,
  type Header,
  isHeader,
  parseHeader,
} from "./vpn_flow_header.ts";
import { readRow } from "./vpn_flow_row.ts";

/** No row comes near this length, and no longer line is looked into. */
export const MAX_LINE_LENGTH = 4_096;

const COUNT =
  /^ *total IPSec tunnels? (?<what>configured|shown): *(?<count>[0-9]{1,9}) *$/i;

/** Lines around the counts: other totals, the filter, the data plane. */
const PREAMBLE = /^ *(?:total [^:]*: *[0-9]+ *$|filter - |target-dp:)/i;

const RULER = /^[ -]+$/;

/** How a row begins whose first column is the id. */
const ID_FIRST = /^ *[0-9]/;

const BLANK = /^ *$/;

/** How the firewall begins after `set cli op-command-xml-output on`. */
const XML = /^ *<(?:\?xml|response)[ >]/;

const { refused, unreadable } = failuresIn("text");

/**
 * Reads the tunnels out of a reply, in the order the firewall lists them.
 *
 * The echo of the command and prompts may stand around the reply, as they do
 * in a capture. A reply that was cut between two of several complete tables
 * cannot be told from a shorter one, so whoever reads from a session waits for
 * the prompt.
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
  let refusal: string | undefined;
  let lastWords: string | undefined;
  let isXml = false;
  for (const [index, line] of lines.entries()) {
    if (XML.test(line)) isXml = true;
    if (line.length > MAX_LINE_LENGTH) continue;
    if (isPagerPrompt(line)) throw pagerFailure(line, index);
    if (isCommandEcho(line)) {
      // What an earlier command printed is no part of this reply.
      refusal = lastWords = undefined;
      isXml = false;
    } else if (isTableStart(line)) {
      if (refusal !== undefined) throw refused(refusal);
      return index;
    } else if (isRefusal(line)) {
      refusal ??= line;
    } else if (!BLANK.test(line) && !isPrompt(line)) {
      lastWords = line;
    }
  }
  if (refusal !== undefined) throw refused(refusal);
  if (isXml) throw unreadable("the firewall answered in XML");
  throw lastWords === undefined
    ? unreadable("it holds no table")
    : unreadable("it holds no table", { before: ", but ", line: lastWords });
}

/** How far the tables of a reply were read. */
interface Progress {
  readonly tunnels: Tunnel[];
  /** The header of the table being read; `undefined` outside of tables. */
  header: Header | undefined;
  isBelowRow: boolean;
  /** Sum of what was counted so far; `undefined` where a count is missing. */
  shown: number | undefined;
  configured: number | undefined;
  /** The last "configured", until the "shown" that belongs to it has come. */
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
    const line = lines[index] ?? "";
    if (BLANK.test(line)) continue;
    if (isPrompt(line)) break;
    const problem = index === lines.length - 1
      ? "the text ends within a line"
      : readLine(line, progress);
    if (problem !== undefined) throw lineFailure(problem, line, index);
  }
  checkCounts(progress);
  checkBelowPrompt(lines, index + 1);
  const { tunnels, configured } = progress;
  return { tunnels, configured };
}

/**
 * Takes in one line of a table.
 *
 * @returns What is wrong with it, if anything.
 */
function readLine(line: string, progress: Progress): string | undefined {
  if (line.length > MAX_LINE_LENGTH) return "no line of a table is this long";
  const { header } = progress;
  const isIdFirst = header?.numbers.id === 0;
  if (header !== undefined && (!isIdFirst || ID_FIRST.test(line))) {
    const [tunnel, ...others] = readRow(line, header);
    if (others.length > 0) return "the row can be read in more than one way";
    if (tunnel !== undefined) {
      progress.isBelowRow = true;
      progress.tunnels.push(tunnel);
      return undefined;
    }
    if (isIdFirst) return "the row does not fit the header";
  }
  return readLineBetweenRows(line, progress);
}

/** Takes in a line that is no row. */
function readLineBetweenRows(
  line: string,
  progress: Progress,
): string | undefined {
  if (isSystemMessage(line)) return undefined;
  if (RULER.test(line) && !progress.isBelowRow) return undefined;
  const count = COUNT.exec(line)?.groups;
  const isPart = count !== undefined || PREAMBLE.test(line);
  if (!isPart && !isHeader(line)) {
    return progress.header === undefined || progress.header.numbers.id === 0
      ? "this is no part of a table"
      : "the row does not fit the header";
  }
  progress.isBelowRow = false;
  progress.header = undefined;
  if (isPart) {
    return count === undefined ? undefined : addCount(count, progress);
  }
  const problem = findHeaderProblem(line);
  if (problem === undefined) progress.header = parseHeader(line);
  return problem;
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
    throw unreadable("it does not say how many tunnels it shows");
  }
  if (shown !== tunnels.length) {
    throw unreadable(countMismatch(shown, tunnels.length));
  }
}

/** Below the prompt stands what was asked later; a table there is a doubt. */
function checkBelowPrompt(lines: readonly string[], first: number): void {
  for (let index = first; index < lines.length; index++) {
    const line = lines[index] ?? "";
    if (isTableStart(line)) {
      throw lineFailure("a second table stands below the prompt", line, index);
    }
  }
}

function isTableStart(line: string): boolean {
  return line.length <= MAX_LINE_LENGTH && (COUNT.test(line) || isHeader(line));
}

/** What is no part of a table may be a refusal or a pager: then it is said so. */
function lineFailure(
  problem: string,
  line: string,
  index: number,
): VpnFlowError {
  if (isRefusal(line)) return refused(line);
  if (isPagerPrompt(line)) return pagerFailure(line, index);
  return unreadable(problem, { line, index });
}

function pagerFailure(line: string, index: number): VpnFlowError {
  const problem = "the pager of the CLI was not switched off";
  return unreadable(problem, { line, index });
}
