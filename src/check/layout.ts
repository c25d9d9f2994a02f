/**
 * The layout of a table of tunnels: what an operator is told of it, and what
 * says how much of a value a column can hold.
 *
 * @module
 */

/** A column of a table. */
export interface Column {
  /** As its header says, in lower case. */
  readonly name: string;
  /** Characters to the next column; `undefined` for the last one. */
  readonly width: number | undefined;
}

/** What every header holds. */
const NEEDED = ["id", "name", "state"];

/** Nothing longer is a header. */
const MAX_LENGTH = 4_096;

/** The columns of the first table in a reply; none if there is no header. */
export function readColumns(lines: readonly string[]): readonly Column[] {
  for (const line of lines) {
    if (line.length > MAX_LENGTH) continue;
    const words = [...line.toLowerCase().matchAll(/\S+/g)];
    const names = words.map(([word]) => word);
    if (!NEEDED.every((name) => names.includes(name))) continue;
    return words.map(({ 0: name, index }, n) => {
      const next = words[n + 1]?.index;
      return { name, width: next === undefined ? undefined : next - index };
    });
  }
  return [];
}
