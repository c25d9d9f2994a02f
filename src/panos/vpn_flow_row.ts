/**
 * Reader for the rows of the table of `show vpn flow`, such as
 *
 *     id    name                 state   monitor local-ip        peer-ip         tunnel-i/f
 *     2     oslo hub:proxy-1     inactiv off     192.0.2.1       198.51.100.7    tunnel.3
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

import type { Tunnel } from "../model/tunnel.ts";
import { holdsSystemMessage } from "./cli_messages.ts";
import type { EmptyColumns, Header } from "./vpn_flow_header.ts";
import {
  isAddress,
  isContradictory,
  isInterface,
  isMask,
  isMonitor,
  isPlain,
  toState,
} from "./vpn_flow_words.ts";
import {
  isCollapsed,
  measure,
  type Span,
  splitWords,
  textOf,
} from "./words.ts";

const BLANK = " ".charCodeAt(0);

/** Blanks by their number: comparing is faster than looking at each. */
const BLANKS = Array.from({ length: 257 }, (_, count) => " ".repeat(count));

/** Ids are 1 to 65535, and may be aligned to the right. */
const MAX_ID_LENGTH = 5;

/** The span of each column's value; `undefined` for an empty column. */
type Reading = readonly (Span | undefined)[];

/** What a row says under one reading, and how well its words are known. */
interface Candidate {
  readonly tunnel: Tunnel;
  readonly reading: Reading;
  readonly empty: EmptyColumns;
  /** How many of state and monitor are words that this parser knows. */
  readonly knownWords: number;
}

/** A row and all that the evidence is taken from. */
interface Row {
  readonly line: string;
  readonly words: readonly Span[];
  readonly header: Header;
}

/**
 * Finds the readings of a row that the evidence leaves.
 *
 * @returns One tunnel if the row is certain; none or several if it is not.
 */
export function readRow(line: string, header: Header): readonly Tunnel[] {
  const usual = readUsualRow(line, header);
  if (usual !== undefined) return [usual];
  const words = splitWords(line);
  const row = { line, words, header };
  if (!header.isUsual) return readFullRow(row);
  const isPadded = !isCollapsed(words);
  const hasPositions = isPadded && !header.isCollapsed;
  const counted = header.emptyByCount
    .map((empty) => takeAs(row, empty))
    .filter((candidate) => candidate !== undefined);
  if (holdsSystemMessage(line)) return [];
  const upright = header.isCollapsed ? [] : chooseByPosition(row, counted);
  const left = hasPositions || upright.length > 0
    ? upright
    : chooseByCount(row, counted, isPadded);
  return left.map(({ tunnel }) => tunnel);
}

/**
 * Reads a row in which all the evidence agrees at first sight, as it does in
 * nearly all: this is what makes 10,000 of them take milliseconds.
 */
function readUsualRow(line: string, header: Header): Tunnel | undefined {
  const { starts, numbers, isUsual, isCollapsed } = header;
  if (!isUsual || isCollapsed) return undefined;
  const cells: string[] = [];
  let end = 0;
  for (let number = 0; number < starts.length; number++) {
    const start = findWord(line, starts[number] ?? 0);
    if (start === undefined || !isBlank(line, end, start)) return undefined;
    end = line.indexOf(number === numbers.name ? "  " : " ", start);
    if (end === -1) end = line.length;
    if (end >= (starts[number + 1] ?? Infinity)) return undefined;
    cells.push(line.slice(start, end));
  }
  if (!isBlank(line, end, line.length)) return undefined;
  const { tunnel, knownWords } = interpret(
    (number) => number === undefined ? "" : cells[number] ?? "",
    header,
  );
  if (knownWords !== (numbers.monitor === undefined ? 1 : 2)) return undefined;
  const isCertain = isPlain(tunnel) ||
    !isContradictory(tunnel, numbers.others.map((n) => cells[n] ?? ""));
  return isCertain ? tunnel : undefined;
}

/** Finds the word that starts at a place, or one column beside it. */
function findWord(line: string, place: number): number | undefined {
  for (let start = Math.max(0, place - 1); start <= place + 1; start++) {
    if (start >= line.length) return undefined;
    if (line.charCodeAt(start) === BLANK) continue;
    const isStart = start === 0 || line.charCodeAt(start - 1) === BLANK;
    return isStart ? start : undefined;
  }
  return undefined;
}

function isBlank(line: string, from: number, to: number): boolean {
  return to >= from && line.slice(from, to) === BLANKS[to - from];
}

/**
 * Reads a row of a table in an order that nobody has seen: only where nothing
 * but the interface is missing, and two blanks show where the name ends.
 */
function readFullRow(row: Row): readonly Tunnel[] {
  const { line, words, header } = row;
  const { numbers, starts } = header;
  if (header.isCollapsed || holdsSystemMessage(line)) return [];
  const isNameLast = numbers.name === starts.length - 1;
  const measures = measure(line, words);
  return header.emptyByCount.flatMap((empty) => {
    if (empty.has(numbers.name + 1)) return [];
    const candidate = takeAs(row, empty);
    if (candidate === undefined || !isKnown(candidate, header)) return [];
    if (hasGapAt(line, candidate.reading, header)) return [];
    const nameEnd = candidate.reading[numbers.name]?.end;
    if (!isNameLast && !line.startsWith("  ", nameEnd)) return [];
    const stands = measures.some((measured) => {
      const reading = countOff(measured, header, empty);
      return reading !== undefined && standsUnder(reading, header);
    });
    return stands ? [candidate.tunnel] : [];
  });
}

/** Considers that only the interface may be missing. */
function chooseByCount(
  { line, header }: Row,
  counted: readonly Candidate[],
  isPadded: boolean,
): readonly Candidate[] {
  // A padded row would show which of the columns that nobody knows are empty,
  // had its header positions.
  if (isPadded && header.numbers.others.length > 0) return [];
  const whole = counted.filter(({ reading }) =>
    !hasGapAt(line, reading, header)
  );
  const isDoubtful = ({ reading }: Candidate): boolean =>
    isPadded && !showsNameEnd(line, reading, header);
  if (whole.some(isDoubtful)) return [];
  // Below a header without positions a padded row has no blank that tells.
  const isFull = (candidate: Candidate): boolean =>
    isKnown(candidate, header) && endsSurely(candidate.tunnel);
  if (isPadded && !header.isIdBehindName) {
    return header.numbers.name > 1 || !whole.every(isFull) ? [] : whole;
  }
  const certain = whole.filter((candidate) => isKnown(candidate, header));
  if (certain.length > 0) {
    const isWeak = header.numbers.monitor === undefined;
    return certain.every(({ tunnel }) =>
        hasAddresses(tunnel) && (!isWeak || endsSurely(tunnel))
      )
      ? certain
      : [];
  }
  // An unknown state claims nothing, if all behind it is what it should be.
  return whole.every(({ tunnel }) =>
      isAddress(tunnel.localIp) && isAddress(tunnel.peerIp) &&
      (isMonitor(tunnel.monitor) || header.isIdBehindName)
    )
    ? whole
    : [];
}

/**
 * Whether a padded row shows where its name ends although its header has no
 * positions: by two blanks, or by the id.
 */
function showsNameEnd(
  line: string,
  reading: Reading,
  { numbers, isIdBehindName }: Header,
): boolean {
  return isIdBehindName || line.startsWith("  ", reading[numbers.name]?.end);
}

/** Considers that any column may be empty, but for those that never are. */
function chooseByPosition(
  row: Row,
  counted: readonly Candidate[],
): readonly Candidate[] {
  const { line, words, header } = row;
  const measures = measure(line, words);
  const stand = (
    empty: EmptyColumns,
    test: (measured: Reading) => boolean,
  ): boolean =>
    measures.some((measured) => {
      const reading = countOff(measured, header, empty);
      return reading !== undefined && test(reading);
    });
  const fits = (empty: EmptyColumns): boolean =>
    stand(empty, (reading) =>
      standsUnder(reading, header) &&
      (isPinned(reading, header) ||
        (measures.length === 1 && isWithinColumn(reading, header))) &&
      (!hasGapInName(row, empty) ||
        (measures.length === 1 && isWithinColumn(reading, header) &&
          header.emptyByCount.includes(empty))));
  const isMoved = ({ empty }: Candidate): boolean =>
    !hasGapInName(row, empty) &&
    stand(empty, (reading) => standsApart(reading, header));
  const certain = counted.filter((candidate) => isKnown(candidate, header));
  const upright = certain.filter(({ empty }) => fits(empty));
  if (upright.length > 0) return upright;

  const fitting: Candidate[] = [];
  for (const empty of header.emptyByPosition.filter(fits)) {
    const candidate = takeAs(row, empty);
    if (candidate !== undefined) fitting.push(candidate);
  }
  const mostKnown = Math.max(...fitting.map(({ knownWords }) => knownWords));
  const best = fitting.filter(({ knownWords }) => knownWords === mostKnown);
  if (best.some((candidate) => isKnown(candidate, header))) return best;
  const isDoubtful = (candidate: Candidate): boolean =>
    isGuess(candidate, header) ||
    (hasUnknownState(candidate) &&
      !showsNameEnd(line, candidate.reading, header));
  if (fitting.some(isDoubtful)) return [];
  // A row whose words are certain may stand askew: a name was replaced by one
  // of another length, or values do not stand under their headers at all.
  const askew = counted.filter((candidate) =>
    isBoundById(row, candidate) ||
    (isKnown(candidate, header) && isMoved(candidate))
  );
  const isOther = ({ empty }: Candidate): boolean =>
    best.every((candidate) => candidate.empty !== empty);
  return [...best, ...askew.filter(isOther)];
}

/** Words that nobody knows may as well be the end of a name. */
function isGuess(
  { knownWords, tunnel: { stateWord, monitor } }: Candidate,
  { numbers, isIdBehindName }: Header,
): boolean {
  if (knownWords > 0 || stateWord + monitor === "") return false;
  if (isIdBehindName) return false;
  // Without a monitor, the two addresses behind the state have to show it.
  return numbers.monitor !== undefined || numbers.peerIp === undefined;
}

/** Such a word may as well be the end of the name, if it stands close to it. */
function hasUnknownState({ tunnel: { stateWord } }: Candidate): boolean {
  return stateWord !== "" && toState(stateWord) === undefined;
}

/** Whether the state, and the monitor if there is one, are known words. */
function isKnown({ knownWords }: Candidate, { numbers }: Header): boolean {
  return knownWords === (numbers.monitor === undefined ? 1 : 2);
}

/**
 * Whether the id tells where the name ends, and all that follows is what the
 * columns say. Then values need not stand under their headers.
 */
function isBoundById(
  { line, header }: Row,
  { tunnel, reading }: Candidate,
): boolean {
  return header.isIdBehindName && !hasGapAt(line, reading, header) &&
    endsSurely(tunnel);
}

/** Whether the addresses are such, masked or not. */
function hasAddresses({ localIp, peerIp }: Tunnel): boolean {
  return [localIp, peerIp].every((word) =>
    word === "" || isAddress(word) || isMask(word)
  );
}

/** Whether what follows the state is nothing else, for sure. */
function endsSurely({ localIp, peerIp, interfaceName }: Tunnel): boolean {
  return isInterface(interfaceName) ||
    (isAddress(localIp) && isAddress(peerIp));
}

function hasGapInName(
  { line, words, header }: Row,
  empty: EmptyColumns,
): boolean {
  const reading = countOff(words, header, empty);
  return reading !== undefined && hasGapAt(line, reading, header);
}

/** Whether two blanks stand next to each other in the name. */
function hasGapAt(
  line: string,
  reading: Reading,
  { numbers }: Header,
): boolean {
  return textOf(line, reading[numbers.name]).includes("  ");
}

/** Reads a row with these columns empty, unless its words contradict that. */
function takeAs(
  { line, words, header }: Row,
  empty: EmptyColumns,
): Candidate | undefined {
  const reading = countOff(words, header, empty);
  if (reading === undefined) return undefined;
  const text = (number: number | undefined): string =>
    number === undefined ? "" : textOf(line, reading[number]);
  const { tunnel, knownWords } = interpret(text, header);
  if (isContradictory(tunnel, header.numbers.others.map(text))) {
    return undefined;
  }
  return { tunnel, reading, empty, knownWords };
}

/** Makes a tunnel of the values of a row, which may contradict each other. */
function interpret(
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

/**
 * Whether each value starts where a program that pads its columns puts it,
 * give or take the one column by which values and headers are seen to differ.
 */
function standsUnder(reading: Reading, header: Header): boolean {
  return stands(reading, header, { low: 0, high: 0 }, 0);
}

/**
 * Whether what stands before the name stands under its headers, and the values
 * behind the name, at least two, as far apart as theirs.
 */
function standsApart(reading: Reading, header: Header): boolean {
  const behind = header.numbers.name + 1;
  return countBehindName(reading, header) > 1 &&
    stands(reading.slice(0, behind), header, { low: 0, high: 0 }, 0) &&
    stands(reading, header, { low: -Infinity, high: Infinity }, behind);
}

/**
 * @param moved How far the values are moved: at least, at most.
 * @param from The first column that counts.
 */
function stands(
  reading: Reading,
  { starts, numbers }: Header,
  { low, high }: { low: number; high: number },
  from: number,
): boolean {
  for (let number = from; number < reading.length; number++) {
    const span = reading[number];
    if (span === undefined) continue;
    const next = starts[number + 1] ?? Infinity;
    if (number === numbers.id) {
      const moved = span.start - (starts[number] ?? 0);
      const isInField = moved >= low - 1 && moved <= high + MAX_ID_LENGTH &&
        span.end <= next + high;
      if (number > 0 && !isInField) return false;
    } else {
      const moved = span.start - (starts[number] ?? 0);
      if (moved < low - 1 || moved > high + 1) return false;
      low = Math.max(low, moved - 1);
      high = Math.min(high, moved + 1);
    }
    const overflow = span.end + 1 - next;
    low = Math.max(low, overflow - 1);
    high = Math.max(high, overflow + 1);
  }
  return true;
}

/** Whether the name ends before the header of the next column starts. */
function isWithinColumn(
  reading: Reading,
  { starts, numbers }: Header,
): boolean {
  const end = reading[numbers.name]?.end ?? Infinity;
  return end < (starts[numbers.name + 1] ?? -Infinity);
}

/** Whether the values behind a name, at least two, show where it ends. */
function isPinned(reading: Reading, header: Header): boolean {
  return header.numbers.name === header.starts.length - 1 ||
    countBehindName(reading, header) > 1;
}

function countBehindName(reading: Reading, { numbers }: Header): number {
  // Where an id stands is known too loosely to tell.
  return reading.filter((span, number) =>
    span !== undefined && number > numbers.name && number !== numbers.id
  ).length;
}
