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
 * and none, or two that are as good, refuse the row. A row whose name was
 * replaced by hand stands askew: then the values behind the name have to stand
 * as far apart as their headers, or a state would be read out of a name.
 *
 * Where blanks were collapsed there is no position, and columns this parser
 * does not know are taken to be filled. That a word is missing shows nowhere
 * then: no firewall prints such a table, only a copy of one.
 *
 * @module
 */

import type { Tunnel } from "../model/tunnel.ts";
import { holdsSystemMessage } from "./cli_messages.ts";
import type { EmptyColumns, Header } from "./vpn_flow_header.ts";
import {
  countOff,
  hasGap,
  isPinned,
  isWithinColumn,
  type Reading,
  standsApart,
  standsUnder,
} from "./vpn_flow_position.ts";
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
    if (hasGap(line, candidate.reading, header)) return [];
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
  const whole = counted.filter(({ reading }) => !hasGap(line, reading, header));
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
  const places = new Places(row, measure(line, words));
  const fitting = header.emptyByPosition
    .filter((empty) => places.fit(empty))
    .map((empty) => takeAs(row, empty))
    .filter((candidate) => candidate !== undefined);
  const mostKnown = Math.max(...fitting.map(({ knownWords }) => knownWords));
  const best = fitting.filter(({ knownWords }) => knownWords === mostKnown);
  if (best.some((candidate) => isKnown(candidate, header))) return best;
  const isDoubtful = (candidate: Candidate): boolean =>
    isGuess(candidate, header) ||
    (hasUnknownWord(candidate) &&
      !showsNameEnd(line, candidate.reading, header));
  if (fitting.some(isDoubtful)) return [];
  // A row whose words are certain may stand askew: a name was replaced by one
  // of another length, or values do not stand under their headers at all.
  const askew = counted.filter((candidate) =>
    isBoundById(row, candidate) ||
    (isKnown(candidate, header) &&
      showsNameEnd(line, candidate.reading, header) &&
      places.areMoved(candidate.empty))
  );
  const isOther = ({ empty }: Candidate): boolean =>
    best.every((candidate) => candidate.empty !== empty);
  return [...best, ...askew.filter(isOther)];
}

/** The places of a row's words, by each measure that columns are padded by. */
class Places {
  readonly #row: Row;
  readonly #measures: readonly (readonly Span[])[];

  constructor(row: Row, measures: readonly (readonly Span[])[]) {
    this.#row = row;
    this.#measures = measures;
  }

  /** Whether the values stand under their headers, with these columns empty. */
  fit(empty: EmptyColumns): boolean {
    const { header } = this.#row;
    const isCertainMeasure = this.#measures.length === 1;
    const mayHaveGap = isCertainMeasure && header.emptyByCount.includes(empty);
    return this.#some(empty, (reading) => {
      const isWithin = isWithinColumn(reading, header);
      return standsUnder(reading, header) &&
        (isPinned(reading, header) || (isCertainMeasure && isWithin)) &&
        // last, as it alone costs more the longer the name is
        ((mayHaveGap && isWithin) || !this.#hasGap(empty));
    });
  }

  /** Whether the values behind the name stand as far apart as their headers. */
  areMoved(empty: EmptyColumns): boolean {
    return this.#some(
      empty,
      (reading) => standsApart(reading, this.#row.header),
    ) && !this.#hasGap(empty);
  }

  #some(empty: EmptyColumns, test: (reading: Reading) => boolean): boolean {
    return this.#measures.some((words) => {
      const reading = countOff(words, this.#row.header, empty);
      return reading !== undefined && test(reading);
    });
  }

  #hasGap(empty: EmptyColumns): boolean {
    const { line, words, header } = this.#row;
    const reading = countOff(words, header, empty);
    return reading !== undefined && hasGap(line, reading, header);
  }
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

/**
 * Whether the state, or the monitor, is a word that this parser does not know:
 * then the state may as well be the end of the name, if it stands close to it.
 */
function hasUnknownWord(
  { tunnel: { stateWord, monitor } }: Candidate,
): boolean {
  return (stateWord !== "" && toState(stateWord) === undefined) ||
    (monitor !== "" && !isMonitor(monitor));
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
  return header.isIdBehindName && !hasGap(line, reading, header) &&
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
  const others = header.numbers.others.map(text);
  if (isContradictory(tunnel, others)) return undefined;
  // Of two states, the first may as well be the end of the name, unless the row
  // stands just where it should.
  if (others.some((word) => toState(word) !== undefined)) return undefined;
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
