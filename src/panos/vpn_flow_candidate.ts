/**
 * What a row of the table says if certain columns are taken to be empty, and how
 * far its words bear that out.
 *
 * @module
 */

import type { Tunnel } from "../model/tunnel.ts";
import type { EmptyColumns, Header } from "./vpn_flow_header.ts";
import { type Cells, countOff, hasGap, type Row } from "./vpn_flow_position.ts";
import {
  isAddress,
  isContradictory,
  isInterface,
  isMask,
  isMonitor,
  toState,
} from "./vpn_flow_words.ts";
import { textOf } from "./words.ts";

/** What a row says under one reading, and how well its words are known. */
export interface Candidate {
  readonly tunnel: Tunnel;
  readonly cells: Cells;
  readonly empty: EmptyColumns;
  /** How many of state and monitor are words that this parser knows. */
  readonly knownWords: number;
}

/**
 * Reads a row without a value in these columns.
 *
 * @returns `undefined` if its words contradict that.
 */
export function readWithout(
  { line, words, header }: Row,
  empty: EmptyColumns,
): Candidate | undefined {
  const cells = countOff(words, header, empty);
  if (cells === undefined) return undefined;
  const text = (number: number | undefined): string =>
    number === undefined ? "" : textOf(line, cells[number]);
  const { tunnel, knownWords } = interpret(text, header);
  const others = header.numbers.others.map(text);
  if (isContradictory(tunnel, others)) return undefined;
  // Of two states, the first may as well be the end of the name, unless the row
  // stands just where it should.
  if (others.some((word) => toState(word) !== undefined)) return undefined;
  return { tunnel, cells, empty, knownWords };
}

/** Makes a tunnel of the values of a row, which may contradict each other. */
export function interpret(
  text: (number: number | undefined) => string,
  { numbers }: Header,
): Pick<Candidate, "tunnel" | "knownWords"> {
  const stateWord = text(numbers.state);
  const monitor = text(numbers.monitor);
  const state = toState(stateWord);
  const tunnel = {
    id: text(numbers.id),
    name: text(numbers.name),
    state: state ?? "unknown",
    stateWord,
    monitor,
    localIp: text(numbers.localIp),
    peerIp: text(numbers.peerIp),
    interfaceName: text(numbers.interfaceName),
  };
  const knownWords = Number(state !== undefined) + Number(isMonitor(monitor));
  return { tunnel, knownWords };
}

/** Whether state and monitor are words that may as well be the end of a name. */
export function isGuess(
  { knownWords, tunnel: { stateWord, monitor } }: Candidate,
  { numbers, isIdBehindName }: Header,
): boolean {
  if (knownWords > 0 || stateWord + monitor === "") return false;
  if (isIdBehindName) return false;
  // Without a monitor, the two addresses behind the state have to show it.
  return numbers.monitor !== undefined || numbers.peerIp === undefined;
}

/**
 * Whether the state, or the monitor, is a word that this parser does not know:
 * then the state may as well be the end of the name, if it stands close to it.
 */
export function hasUnknownWord(
  { tunnel: { stateWord, monitor } }: Candidate,
): boolean {
  return (stateWord !== "" && toState(stateWord) === undefined) ||
    (monitor !== "" && !isMonitor(monitor));
}

/** Whether the state, and the monitor if there is one, are known words. */
export function isKnown(
  { knownWords }: Pick<Candidate, "knownWords">,
  { numbers }: Header,
): boolean {
  return knownWords === (numbers.monitor === undefined ? 1 : 2);
}

/**
 * Whether the id shows where the name ends, and what follows looks as the columns
 * say. Then values need not stand under their headers.
 */
export function isBoundById(
  { line, header }: Row,
  { tunnel, cells }: Candidate,
): boolean {
  return header.isIdBehindName && !hasGap(line, cells, header) &&
    endsSurely(tunnel);
}

/** Whether the addresses look like addresses, masked or not. */
export function hasAddresses({ localIp, peerIp }: Tunnel): boolean {
  return [localIp, peerIp].every((word) =>
    word === "" || isAddress(word) || isMask(word)
  );
}

/** Whether interface or addresses show that they are no part of the name. */
export function endsSurely(
  { localIp, peerIp, interfaceName }: Tunnel,
): boolean {
  return isInterface(interfaceName) ||
    (isAddress(localIp) && isAddress(peerIp));
}
