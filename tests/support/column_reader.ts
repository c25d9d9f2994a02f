/**
 * Another reader of the same tables, as simple as can be: what stands in a row
 * below a word of the header is that column's value. It knows no vocabulary,
 * and gives up where a value stands in two columns. The parser's readings are
 * held against it; nothing is shared with the parser, on purpose.
 *
 * @module
 */

/** The values of a row by the word of the header above them. */
export type ColumnRow = Readonly<Record<string, string>>;

const UNITS: readonly ((character: string) => number)[] = [
  () => 1,
  (character) => new TextEncoder().encode(character).length,
  (character) =>
    /\p{M}/u.test(character)
      ? 0
      : /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uff01-\uff60]/.test(character)
      ? 2
      : 1,
];

/**
 * Reads the lines below the last header above them, in each unit that columns
 * may be padded by, and with values up to one column beside their headers.
 */
export function readColumns(text: string): readonly ColumnRow[] {
  const rows: ColumnRow[] = [];
  let header: readonly { word: string; start: number }[] | undefined;
  for (const line of text.split(/\r?\n/)) {
    const words = line.toLowerCase().split(/ +/);
    if (["id", "name", "state"].every((word) => words.includes(word))) {
      header = [...line.matchAll(/[^ ]+/g)].map(({ 0: word, index }) => ({
        word: word.toLowerCase(),
        start: index,
      }));
      continue;
    }
    if (header === undefined) continue;
    const units = /^[ -~]*$/.test(line) ? UNITS.slice(0, 1) : UNITS;
    for (const widthOf of units) {
      for (const slack of [1, 0, -1]) {
        rows.push(slice(line, header, widthOf, slack));
      }
    }
  }
  return rows;
}

function slice(
  line: string,
  header: readonly { word: string; start: number }[],
  widthOf: (character: string) => number,
  slack: number,
): ColumnRow {
  const row: Record<string, string> = {};
  let column = 0;
  let number = 0;
  for (const character of line) {
    while (
      number + 1 < header.length &&
      column >= (header[number + 1]?.start ?? 0) - slack
    ) number++;
    const word = header[number]?.word ?? "";
    row[word] = (row[word] ?? "") + character;
    column += widthOf(character);
  }
  for (const { word } of header) row[word] = (row[word] ?? "").trim();
  return row;
}
