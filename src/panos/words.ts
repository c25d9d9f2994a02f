/**
 * Where the words of a line stand, by each measure that a program may pad its
 * columns by: characters, bytes of UTF-8, width on the screen.
 *
 * @module
 */

/** The code of a blank. */
export const BLANK = " ".charCodeAt(0);

const NON_ASCII = /[\u0080-\uffff]/;

/** Marks that stand on the character before them, and joiners. */
const ZERO_WIDTH = /[\p{Mn}\p{Me}\u200b-\u200f\u2060\ufeff]/u;

/**
 * What a terminal draws over two columns: East Asian "wide" and "fullwidth" of
 * Unicode's annex 11, in whole blocks, and emoji.
 */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** Where a word or a value stands in its line; `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Splits a line at its blanks. */
export function splitWords(line: string): readonly Span[] {
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

/** Whether there is but one blank between any two words. */
export function isCollapsed(words: readonly Span[]): boolean {
  let end = Infinity;
  for (const word of words) {
    if (word.start > end + 1) return false;
    end = word.end;
  }
  return true;
}

/** The text of a value; empty if there is none. */
export function textOf(line: string, span: Span | undefined): string {
  return span === undefined ? "" : line.slice(span.start, span.end);
}

/** Whether all measures of a line agree. */
export function isAscii(line: string): boolean {
  return !NON_ASCII.test(line);
}

/** The places of the words by each measure; by one where all measures agree. */
export function measure(
  line: string,
  words: readonly Span[],
): readonly (readonly Span[])[] {
  if (isAscii(line)) return [words];
  return [() => 1, utf8Length, screenWidth].map((widthOf) => {
    const columns: number[] = [];
    let column = 0;
    for (const character of line) {
      for (let i = 0; i < character.length; i++) columns.push(column);
      column += widthOf(character);
    }
    columns.push(column);
    return words.map(({ start, end }) => ({
      start: columns[start] ?? 0,
      end: columns[end] ?? 0,
    }));
  });
}

function utf8Length(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}

/** Columns that a character takes on a terminal: 0, 1 or 2. */
export function screenWidth(character: string): number {
  if (character < "\u0080") return 1;
  if (ZERO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
