/**
 * Reader for the header and the rows of the table of `show vpn flow`.
 *
 * A row is words between blanks, and a name may hold blanks and any word the
 * table itself uses. Three kinds of evidence say which word is whose value:
 *
 * 1. Counting. Each column holds one word; only the tunnel interface may be
 *    missing, and only the name may hold more. So words are counted off from
 *    both ends of the row, and the name is what is left in the middle.
 * 2. Vocabulary. `active` is never a monitor, `off` never a state, an address
 *    never an interface and `tunnel.3` nothing else.
 * 3. Position. A value stands under its header, moved right by what overflowed
 *    before it. This alone can tell that any other column is empty.
 *
 * Where all three agree the row is read. Where they do not, position may show
 * another reading: the one that knows the most words of the vocabulary counts,
 * and none, or two that are as good, refuse the row. Where blanks were
 * collapsed there is no position, and columns this parser does not know are
 * taken to be filled.
 *
 * @module
 */

import type { Tunnel, TunnelState } from "../model/tunnel.ts";

/** Without these columns a table is not the one this parser knows. */
const KNOWN_COLUMNS = [
  "id",
  "name",
  "state",
  "monitor",
  "local-ip",
  "peer-ip",
  "tunnel-i/f",
] as const;

// The two limits bound the work that one row can cost.
const MAX_COLUMNS = 12;
const MAX_EMPTY_COLUMNS = 3;

const BLANK = " ".charCodeAt(0);

const DIGITS = /^[0-9]+$/;

/** Numbers, addresses and interfaces: no firewall calls a state that. */
const NOT_A_STATUS = /[.:]|^[0-9]+$/;

/** IPv4 or IPv6, with digits masked or not. */
const ADDRESS = /(?:\.[^.]*){3}|(?::[^:]*){2}/;

const NON_ASCII = /[\u0080-\uffff]/;

/** Where a word or a value stands in its line; `end` is exclusive. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** The span of each column's value; `undefined` for an empty column. */
type Reading = readonly (Span | undefined)[];

/** Numbers of the columns that a reading takes to be empty. */
type EmptyColumns = ReadonlySet<number>;

/** The header of a table. Columns are numbered from 0, left to right. */
export interface Header {
  /** Where each column's header starts. */
  readonly starts: readonly number[];
  readonly numbers: {
    readonly id: number;
    readonly name: number;
    readonly state: number;
    readonly monitor: number;
    readonly localIp: number;
    readonly peerIp: number;
    readonly interfaceName: number;
    /** Columns that this parser does not know. */
    readonly others: readonly number[];
  };
  /** Whether runs of blanks were collapsed, so that `starts` mean nothing. */
  readonly isCollapsed: boolean;
  /** What may be empty in a row where counting decides: at most the interface. */
  readonly emptyByCount: readonly EmptyColumns[];
  /** What may be empty in a row that has positions. */
  readonly emptyByPosition: readonly EmptyColumns[];
}

/** Whether a line means to be the header of a table. */
export function isHeader(line: string): boolean {
  return /^ *id +(?:.* )?name(?: |$)/i.test(line);
}

/** Reads a header; returns what is wrong with it if it is not complete. */
export function parseHeader(line: string): Header | string {
  const spans = splitWords(line);
  const words = spans.map((span) => textOf(line, span).toLowerCase());
  if (words.length > MAX_COLUMNS) return "the header has too many columns";
  for (const column of KNOWN_COLUMNS) {
    const first = words.indexOf(column);
    if (first === -1) return `the header has no column "${column}"`;
    if (words.includes(column, first + 1)) {
      return `the header has two columns "${column}"`;
    }
  }

  const known: ReadonlySet<string> = new Set(KNOWN_COLUMNS);
  const numbers = {
    id: words.indexOf("id"),
    name: words.indexOf("name"),
    state: words.indexOf("state"),
    monitor: words.indexOf("monitor"),
    localIp: words.indexOf("local-ip"),
    peerIp: words.indexOf("peer-ip"),
    interfaceName: words.indexOf("tunnel-i/f"),
    others: [...words.keys()].filter((n) => !known.has(words[n] ?? "")),
  };
  const emptyByCount = [new Set<number>(), new Set([numbers.interfaceName])];
  return {
    starts: spans.map(({ start }) => start),
    numbers,
    isCollapsed: isCollapsed(spans),
    emptyByCount,
    // The state of a tunnel's bare-name row has been seen blank. A missing
    // address has not: a row that ends before its addresses was cut.
    emptyByPosition: combine(emptyByCount, [
      numbers.state,
      numbers.monitor,
      ...numbers.others,
    ]),
  };
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

/** What a row says under one reading, and how well its words are known. */
interface Candidate {
  readonly tunnel: Tunnel;
  readonly reading: Reading;
  readonly empty: EmptyColumns;
  /** How many of state and monitor are words that this parser knows. */
  readonly knownWords: number;
}

/**
 * Finds the readings of a row that the evidence leaves.
 *
 * @returns One tunnel if the row is certain; none or several if it is not.
 */
export function readRow(line: string, header: Header): readonly Tunnel[] {
  const words = splitWords(line);
  const hasPositions = !header.isCollapsed && !isCollapsed(words);
  const counted: Candidate[] = [];
  for (const empty of header.emptyByCount) {
    const candidate = takeAs(line, words, header, empty);
    if (candidate === undefined) continue;
    // All the evidence there is agrees. It cannot do so twice, as the state
    // of one of the two is the monitor of the other.
    const isCertain = candidate.knownWords === 2 &&
      (!hasPositions || standsUnder(candidate.reading, header));
    if (isCertain) return [candidate.tunnel];
    counted.push(candidate);
  }
  const left = hasPositions
    ? chooseByPosition(line, words, header, counted)
    : counted.some(({ knownWords }) => knownWords > 0)
    ? counted
    : [];
  return left.map(({ tunnel }) => tunnel);
}

/** Considers that any column may be empty, but for those that never are. */
function chooseByPosition(
  line: string,
  words: readonly Span[],
  header: Header,
  counted: readonly Candidate[],
): readonly Candidate[] {
  const measures = measure(line, words);
  const fits = (empty: EmptyColumns): boolean =>
    measures.some((measured) => {
      const reading = countOff(measured, header, empty);
      return reading !== undefined && standsUnder(reading, header);
    });
  const certain = counted.filter(({ knownWords }) => knownWords === 2);
  if (certain.some(({ empty }) => fits(empty))) return certain;

  const fitting: Candidate[] = [];
  for (const empty of header.emptyByPosition.filter(fits)) {
    const candidate = takeAs(line, words, header, empty);
    if (candidate === undefined) continue;
    const { knownWords, tunnel: { stateWord, monitor } } = candidate;
    // Two words that nobody knows may as well be the end of a name.
    if (knownWords === 0 && stateWord + monitor !== "") continue;
    fitting.push(candidate);
  }
  const mostKnown = Math.max(...fitting.map(({ knownWords }) => knownWords));
  const best = fitting.filter(({ knownWords }) => knownWords === mostKnown);
  if (mostKnown === 2) return best;
  // A row whose words are certain may stand askew: a name was replaced by one
  // of another length, or the firewall pads by the width on the screen.
  return [...best, ...certain];
}

/** Reads a row with these columns empty, unless its words contradict that. */
function takeAs(
  line: string,
  words: readonly Span[],
  header: Header,
  empty: EmptyColumns,
): Candidate | undefined {
  const reading = countOff(words, header, empty);
  if (reading === undefined) return undefined;
  const { numbers } = header;
  const text = (number: number): string => textOf(line, reading[number]);
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
  if (isContradictory(tunnel, numbers.others.map(text))) return undefined;
  const knownWords = Number(state !== undefined) + Number(isMonitor(monitor));
  return { tunnel, reading, empty, knownWords };
}

function splitWords(line: string): readonly Span[] {
  const words: Span[] = [];
  for (let start = 0; start < line.length; start++) {
    if (line.charCodeAt(start) === BLANK) continue;
    const blank = line.indexOf(" ", start);
    const end = blank === -1 ? line.length : blank;
    words.push({ start, end });
    start = end;
  }
  return words;
}

function isCollapsed(words: readonly Span[]): boolean {
  let end = Infinity;
  for (const word of words) {
    if (word.start > end + 1) return false;
    end = word.end;
  }
  return true;
}

function textOf(line: string, span: Span | undefined): string {
  return span === undefined ? "" : line.slice(span.start, span.end);
}

/** Gives each column its word, the name what is left in the middle. */
function countOff(
  words: readonly Span[],
  { starts, numbers }: Header,
  empty: EmptyColumns,
): Reading | undefined {
  const reading = new Array<Span | undefined>(starts.length);
  let first = 0;
  for (let number = 0; number < numbers.name; number++) {
    reading[number] = empty.has(number) ? undefined : words[first++];
  }
  let last = words.length - 1;
  for (let number = starts.length - 1; number > numbers.name; number--) {
    reading[number] = empty.has(number) ? undefined : words[last--];
  }
  const [from, to] = [words[first], words[last]];
  if (from === undefined || to === undefined || last < first) return undefined;
  reading[numbers.name] = { start: from.start, end: to.end };
  return reading;
}

/** Whether a word stands where the vocabulary says that it cannot. */
function isContradictory(tunnel: Tunnel, others: readonly string[]): boolean {
  const { id, stateWord, monitor, localIp, peerIp, interfaceName } = tunnel;
  if (!DIGITS.test(id)) return true;
  if (isMonitor(stateWord) || NOT_A_STATUS.test(stateWord)) return true;
  if (isState(monitor) || NOT_A_STATUS.test(monitor)) return true;
  if (ADDRESS.test(interfaceName)) return true;
  if (isNoAddress(localIp) || isNoAddress(peerIp)) return true;
  if (isInterface(interfaceName)) return false;
  if (others.some(isInterface)) return true;
  // With a value missing, an address out of place says that it is another one.
  return interfaceName === "" && others.some((word) => ADDRESS.test(word)) &&
    !(ADDRESS.test(localIp) && ADDRESS.test(peerIp));
}

function isNoAddress(word: string): boolean {
  return isInterface(word) || isState(word) || isMonitor(word);
}

/** The meaning of a state that this parser knows. */
export function toState(word: string): TunnelState | undefined {
  switch (word.toLowerCase()) {
    case "active":
      return "active";
    case "inactive":
    case "inactiv": // the CLI keeps seven characters
      return "inactive";
    case "init":
      return "unknown";
    default:
      return undefined;
  }
}

function isState(word: string): boolean {
  return toState(word) !== undefined;
}

function isMonitor(word: string): boolean {
  switch (word.toLowerCase()) {
    case "off":
    case "up":
    case "down":
      return true;
    default:
      return false;
  }
}

function isInterface(word: string): boolean {
  return word.startsWith("tunnel.");
}

/**
 * Whether each value starts where a program that pads its columns puts it,
 * give or take the one column by which values and headers are seen to differ.
 */
function standsUnder(reading: Reading, { starts, numbers }: Header): boolean {
  // How far what overflowed has moved the rest of the row: at least, at most.
  let low = 0;
  let high = 0;
  for (let number = 0; number < starts.length; number++) {
    const span = reading[number];
    if (span === undefined) continue;
    // An id may be aligned to the right; it is always the first word anyway.
    if (number !== numbers.id) {
      const moved = span.start - (starts[number] ?? 0);
      if (moved < low - 1 || moved > high + 1) return false;
      low = Math.max(low, moved - 1);
      high = Math.min(high, moved + 1);
    }
    const overflow = span.end + 1 - (starts[number + 1] ?? Infinity);
    low = Math.max(low, overflow - 1);
    high = Math.max(high, overflow + 1);
  }
  return true;
}

/**
 * The words' positions in each unit that a firewall may pad by: characters,
 * and the bytes of UTF-8.
 */
function measure(
  line: string,
  words: readonly Span[],
): readonly (readonly Span[])[] {
  if (!NON_ASCII.test(line)) return [words];
  const measures = [];
  for (const unit of ["character", "byte"] as const) {
    const columns: number[] = [];
    let column = 0;
    for (const character of line) {
      for (let i = 0; i < character.length; i++) columns.push(column);
      column += unit === "character" ? 1 : utf8Length(character);
    }
    columns.push(column);
    measures.push(words.map(({ start, end }) => ({
      start: columns[start] ?? 0,
      end: columns[end] ?? 0,
    })));
  }
  return measures;
}

function utf8Length(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}
