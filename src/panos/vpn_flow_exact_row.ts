/**
 * The way to read a row by position alone, whatever its words are.
 *
 * @module
 */

import type { Tunnel } from "../model/tunnel.ts";
import { interpret } from "./vpn_flow_candidate.ts";
import type { Header } from "./vpn_flow_header.ts";
import { isContradictory, isMonitor, toState } from "./vpn_flow_words.ts";
import { isAscii } from "./words.ts";

const DIGITS = /^[0-9]+$/;

/**
 * Reads a row in which each value starts just under its header and ends before
 * the next one. Then any column but the id, the name and the addresses may be
 * empty, and the state may be any word.
 *
 * @returns `undefined` if a value stands elsewhere.
 */
export function readExactRow(line: string, header: Header): Tunnel | undefined {
  const { numbers, isCollapsed } = header;
  // the width of other characters is a guess
  if (isCollapsed || !isAscii(line)) return undefined;
  const cells = cut(line, header);
  if (cells === undefined || !isPinned(cells, header)) return undefined;
  const { tunnel } = interpret(
    (number) => number === undefined ? "" : cells[number] ?? "",
    header,
  );
  const { name, localIp, peerIp, monitor } = tunnel;
  const isAddressMissing = (numbers.localIp !== undefined && localIp === "") ||
    (numbers.peerIp !== undefined && peerIp === "");
  if (name === "" || isAddressMissing) return undefined;
  // it may be a damaged state, moved here by a name
  if (monitor !== "" && !isMonitor(monitor)) return undefined;
  const others = numbers.others.map((number) => cells[number] ?? "");
  const isCertain = !others.some((word) => toState(word) !== undefined) &&
    !isContradictory(withoutMonitorWord(tunnel, header), others);
  return isCertain ? tunnel : undefined;
}

/**
 * Cuts a row where its headers start. Each value is cut to one less than its
 * column, so that a blank always follows.
 */
function cut(
  line: string,
  { starts, numbers }: Header,
): readonly string[] | undefined {
  const cells: string[] = [];
  for (const [number, start] of starts.entries()) {
    const isId = number === numbers.id;
    const from = isId && number === 0 ? 0 : start;
    const before = number === 0 ? line.slice(0, from) : line.charAt(from - 1); // empty, if the line has ended
    if (before.trim() !== "") return undefined;
    const padded = line.slice(from, starts[number + 1]).trimEnd();
    // it may be aligned to the right
    const cell = isId ? padded.trimStart() : padded;
    const gap = number === numbers.name ? "  " : " ";
    if (cell.startsWith(" ") || cell.includes(gap)) return undefined;
    cells.push(cell);
  }
  return DIGITS.test(cells[numbers.id] ?? "") ? cells : undefined;
}

/**
 * Whether the state stands before the name, or values behind the name, at least
 * two, show where it ends: else a state could be read out of a name.
 */
function isPinned(cells: readonly string[], { numbers }: Header): boolean {
  if (numbers.state < numbers.name) return true;
  const behind = cells.filter((cell, number) =>
    cell !== "" && number > numbers.name && number !== numbers.id
  );
  return behind.length > 1;
}

/**
 * A monitor in the column of the state may have slipped there, unless it cannot
 * be the monitor.
 */
function withoutMonitorWord(tunnel: Tunnel, { numbers }: Header): Tunnel {
  const isNoMonitor = numbers.monitor === undefined ||
    isMonitor(tunnel.monitor);
  return isNoMonitor && isMonitor(tunnel.stateWord)
    ? { ...tunnel, stateWord: "" }
    : tunnel;
}
