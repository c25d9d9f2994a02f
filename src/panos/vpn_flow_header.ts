/**
 * The header of the table of `show vpn flow`. Columns are known by their words,
 * in any order:
 *
 *     id    name              state   monitor local-ip     peer-ip      tunnel-i/f
 *     name  id  state  local-ip  peer-ip  tunnel-i/f
 *
 * @module
 */

import { isCollapsed, splitWords, textOf } from "./words.ts";

/** Without these columns a row says nothing about a tunnel. */
const REQUIRED = ["id", "name", "state"] as const;

const OPTIONAL = ["monitor", "local-ip", "peer-ip", "tunnel-i/f"] as const;

const KNOWN: ReadonlySet<string> = new Set([...REQUIRED, ...OPTIONAL]);

// The two limits bound the work that one row can cost.
const MAX_COLUMNS = 12;
const MAX_EMPTY_COLUMNS = 3;

/** Numbers of the columns that a reading takes to be empty. */
export type EmptyColumns = ReadonlySet<number>;

/** Which column is which; `undefined` for one that the table does not have. */
export interface ColumnNumbers {
  readonly id: number;
  readonly name: number;
  readonly state: number;
  readonly monitor: number | undefined;
  readonly localIp: number | undefined;
  readonly peerIp: number | undefined;
  readonly interfaceName: number | undefined;
  /** Columns that this parser does not know. */
  readonly others: readonly number[];
}

/** The header of a table. Columns are numbered from 0, left to right. */
export interface Header {
  /** Where each column's header starts. */
  readonly starts: readonly number[];
  readonly numbers: ColumnNumbers;
  /** Whether runs of blanks were collapsed, so that `starts` mean nothing. */
  readonly isCollapsed: boolean;
  /**
   * Whether name, id and state come first, in this order: then the id shows
   * where the name ends, whatever the name holds.
   */
  readonly isIdBehindName: boolean;
  /**
   * Whether name, state and an address come in this order, with at most the id
   * between name and state. An address is never missing, so that it shows which
   * of the values before it are. In a table of another order no value may be
   * missing but the interface.
   */
  readonly isUsual: boolean;
  /** What may be empty in a row that counting decides: at most the interface. */
  readonly emptyByCount: readonly EmptyColumns[];
  /** What may be empty in a row that has positions. */
  readonly emptyByPosition: readonly EmptyColumns[];
}

/** Whether a line looks like the header of a table, be it a wrong one. */
export function isHeader(line: string): boolean {
  if (!/(?:^| )name(?: |$)/i.test(line)) return false;
  const words = wordsOf(line);
  if (words.some((word) => /^[0-9]/.test(word))) return false;
  const required = REQUIRED.filter((column) => words.includes(column));
  if (OPTIONAL.some((column) => words.includes(column))) {
    return required.length >= 2;
  }
  // A sentence of a banner may hold the three words, too.
  return required.length === 3 &&
    (words.every((word) => KNOWN.has(word)) || !isCollapsed(splitWords(line)));
}

/** What is wrong with a header, if anything: the rows below it are not read. */
export function findHeaderProblem(line: string): string | undefined {
  const words = wordsOf(line);
  if (words.length > MAX_COLUMNS) return "the header has too many columns";
  if (line.includes("--")) return "header and ruler stand on one line";
  for (const column of REQUIRED) {
    if (!words.includes(column)) return `the header has no column "${column}"`;
  }
  for (const column of KNOWN) {
    if (words.indexOf(column) !== words.lastIndexOf(column)) {
      return `the header has two columns "${column}"`;
    }
  }
  return undefined;
}

/** Reads a header with which nothing is wrong. */
export function parseHeader(line: string): Header {
  const spans = splitWords(line);
  const numbers = numberColumns(wordsOf(line));
  const { id, name, state, localIp = -1 } = numbers;
  return {
    starts: spans.map(({ start }) => start),
    numbers,
    isCollapsed: isCollapsed(spans),
    isIdBehindName: name === 0 && id === 1 && state === 2,
    isUsual: localIp > state &&
      (state === name + 1 || (id === name + 1 && state === name + 2)),
    ...emptyColumns(numbers),
  };
}

/** In lower case. */
function wordsOf(line: string): readonly string[] {
  return splitWords(line).map((span) => textOf(line, span).toLowerCase());
}

function numberColumns(words: readonly string[]): ColumnNumbers {
  const find = (column: string): number | undefined => {
    const number = words.indexOf(column);
    return number === -1 ? undefined : number;
  };
  return {
    id: words.indexOf("id"),
    name: words.indexOf("name"),
    state: words.indexOf("state"),
    monitor: find("monitor"),
    localIp: find("local-ip"),
    peerIp: find("peer-ip"),
    interfaceName: find("tunnel-i/f"),
    others: [...words.keys()].filter((n) => !KNOWN.has(words[n] ?? "")),
  };
}

function emptyColumns(
  { state, monitor, interfaceName, others }: ColumnNumbers,
): Pick<Header, "emptyByCount" | "emptyByPosition"> {
  const nothing: readonly EmptyColumns[] = [new Set<number>()];
  const isNumber = (n: number | undefined): n is number => n !== undefined;
  const emptyByCount = combine(nothing, [interfaceName].filter(isNumber));
  // The state of a tunnel's bare-name row has been seen blank. A missing
  // address has not: a row that ends before its addresses was cut.
  const emptyByPosition = combine(
    emptyByCount,
    [state, monitor, ...others].filter(isNumber),
  );
  return { emptyByCount, emptyByPosition };
}

/** Adds to the sets every combination of these columns. */
function combine(
  start: readonly EmptyColumns[],
  columns: readonly number[],
): readonly EmptyColumns[] {
  let sets = start;
  for (const column of columns) {
    const smaller = sets.filter(({ size }) => size < MAX_EMPTY_COLUMNS);
    sets = [...sets, ...smaller.map((set) => new Set([...set, column]))];
  }
  return sets;
}
