/**
 * Where the values of a row stand: which word is left for which column, and
 * whether a program that pads its columns would have put it there.
 *
 * @module
 */

import type { EmptyColumns, Header } from "./vpn_flow_header.ts";
import { measure, type Span, textOf } from "./words.ts";

/** A row and all that the evidence is taken from. */
export interface Row {
  readonly line: string;
  readonly words: readonly Span[];
  readonly header: Header;
}

/** The span of each column's value; `undefined` for an empty column. */
export type Cells = readonly (Span | undefined)[];

/** Ids are 1 to 65535, and may be aligned to the right. */
const MAX_ID_LENGTH = 5;

/**
 * Gives each column its word, and the name what is left in the middle.
 *
 * @returns `undefined` if there are too few words.
 */
export function countOff(
  words: readonly Span[],
  { starts, numbers }: Header,
  empty: EmptyColumns,
): Cells | undefined {
  const cells = new Array<Span | undefined>(starts.length);
  let first = 0;
  for (let number = 0; number < numbers.name; number++) {
    cells[number] = empty.has(number) ? undefined : words[first++];
  }
  let last = words.length - 1;
  for (let number = starts.length - 1; number > numbers.name; number--) {
    cells[number] = empty.has(number) ? undefined : words[last--];
  }
  const [from, to] = [words[first], words[last]];
  if (from === undefined || to === undefined || last < first) return undefined;
  cells[numbers.name] = { start: from.start, end: to.end };
  return cells;
}

/**
 * Whether each value starts where a program that pads its columns puts it,
 * give or take the one column by which values and headers are seen to differ.
 */
function standsUnder(cells: Cells, header: Header): boolean {
  return stands(cells, header, { low: 0, high: 0 }, 0);
}

/**
 * Whether what stands before the name stands under its headers, and the values
 * behind the name, at least two, as far apart as theirs.
 */
function standsApart(cells: Cells, header: Header): boolean {
  const behind = header.numbers.name + 1;
  return countBehindName(cells, header) > 1 &&
    stands(cells.slice(0, behind), header, { low: 0, high: 0 }, 0) &&
    stands(cells, header, { low: -Infinity, high: Infinity }, behind);
}

/**
 * Goes through the values from left to right. Each may stand one column off, and
 * one that is longer than its column moves those behind it.
 *
 * @param moved By how many columns the first value may be moved, from `low` to
 * `high`.
 * @param from The first column that counts.
 */
function stands(
  cells: Cells,
  { starts, numbers }: Header,
  { low, high }: { low: number; high: number },
  from: number,
): boolean {
  for (let number = from; number < cells.length; number++) {
    const span = cells[number];
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
  cells: Cells,
  { starts, numbers }: Header,
): boolean {
  const end = cells[numbers.name]?.end ?? Infinity;
  return end < (starts[numbers.name + 1] ?? -Infinity);
}

/**
 * Whether the name fills its column, if but one blank follows it: name and next
 * value start as far apart as their headers, give or take one column, and the
 * name ends before that value may start.
 */
function fillsColumn(cells: Cells, { starts, numbers }: Header): boolean {
  const { name } = numbers;
  const movedBy = (number: number): number =>
    (cells[number]?.start ?? NaN) - (starts[number] ?? NaN);
  const end = cells[name]?.end ?? Infinity;
  return Math.abs(movedBy(name + 1) - movedBy(name)) <= 1 &&
    end <= (starts[name + 1] ?? -Infinity);
}

/** Whether a column that this parser does not know precedes the monitor. */
export function hasUnknownColumnBehindState({ numbers }: Header): boolean {
  const { state, monitor = numbers.localIp ?? -1, others } = numbers;
  return others.some((number) => number > state && number < monitor);
}

/** Whether the values behind a name, at least two, show where it ends. */
function isPinned(cells: Cells, header: Header): boolean {
  return header.numbers.name === header.starts.length - 1 ||
    countBehindName(cells, header) > 1;
}

function countBehindName(cells: Cells, { numbers }: Header): number {
  // An id does not count: it may stand anywhere in its column.
  return cells.filter((span, number) =>
    span !== undefined && number > numbers.name && number !== numbers.id
  ).length;
}

/** Whether two blanks stand next to each other in the name. */
export function hasGap(
  line: string,
  cells: Cells,
  { numbers }: Header,
): boolean {
  return textOf(line, cells[numbers.name]).includes("  ");
}

/**
 * Whether a padded row shows where its name ends although its header has no
 * positions: by two blanks, or by the id.
 */
export function showsNameEnd(
  line: string,
  cells: Cells,
  { numbers, isIdBehindName }: Header,
): boolean {
  return isIdBehindName || line.startsWith("  ", cells[numbers.name]?.end);
}

/** The places of a row's words, by each measure that columns are padded by. */
export class Places {
  readonly #row: Row;
  readonly #measures: readonly (readonly Span[])[];

  constructor(row: Row) {
    this.#row = row;
    this.#measures = measure(row.line, row.words);
  }

  /** Whether the values stand under their headers, whatever the name holds. */
  areUnderHeaders(empty: EmptyColumns): boolean {
    const { header } = this.#row;
    return this.#some(empty, (cells) => standsUnder(cells, header));
  }

  /** Whether the values stand under their headers, with these columns empty. */
  fit(empty: EmptyColumns): boolean {
    const { header } = this.#row;
    const isCertainMeasure = this.#measures.length === 1;
    const mayHaveGap = isCertainMeasure && header.emptyByCount.includes(empty);
    return this.#some(empty, (cells) => {
      const isWithin = isWithinColumn(cells, header);
      return standsUnder(cells, header) &&
        (isPinned(cells, header) || (isCertainMeasure && isWithin)) &&
        // last, as it alone costs more the longer the name is
        ((mayHaveGap && isWithin) || !this.#hasGap(empty));
    });
  }

  /**
   * Whether something shows where the name ends. Of three measures, one may fit
   * by chance: then the last word of a name whose state was lost would be read
   * as the state, so that two blanks have to follow the name, or it has to fill
   * its column. The latter does not suffice beside a column that this parser does
   * not know: that may hold the state.
   */
  showNameEnd(empty: EmptyColumns): boolean {
    const { line, words, header } = this.#row;
    const cells = countOff(words, header, empty);
    return this.#measures.length === 1 ||
      (cells !== undefined && showsNameEnd(line, cells, header)) ||
      !hasUnknownColumnBehindState(header) && this.#some(
          empty,
          (cells) => fillsColumn(cells, header) && standsUnder(cells, header),
        );
  }

  /** Whether the values behind the name stand as far apart as their headers. */
  areMoved(empty: EmptyColumns): boolean {
    return this.#some(
      empty,
      (cells) => standsApart(cells, this.#row.header),
    ) && !this.#hasGap(empty);
  }

  #some(empty: EmptyColumns, test: (cells: Cells) => boolean): boolean {
    return this.#measures.some((words) => {
      const cells = countOff(words, this.#row.header, empty);
      return cells !== undefined && test(cells);
    });
  }

  #hasGap(empty: EmptyColumns): boolean {
    const { line, words, header } = this.#row;
    const cells = countOff(words, header, empty);
    return cells !== undefined && hasGap(line, cells, header);
  }
}
