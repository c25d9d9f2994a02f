/**
 * The layout of a table of tunnels: what an operator is told of it, and what
 * says how much of a value a column can hold.
 *
 * @module
 */

import { isHeader } from "../panos/vpn_flow_header.ts";
import { splitWords, textOf } from "../panos/words.ts";

/** A column of a table. */
export interface Column {
  /** As its header says, in lower case. */
  readonly name: string;
  /** Characters to the next column; `undefined` for the last one. */
  readonly width: number | undefined;
}

/**
 * The columns of the first table in a reply; none if there is no header.
 *
 * @param lines A reply that was read.
 */
export function readColumns(lines: readonly string[]): readonly Column[] {
  const header = lines.find(isHeader) ?? "";
  const words = splitWords(header);
  return words.map((word, n) => {
    const next = words[n + 1]?.start;
    return {
      name: textOf(header, word).toLowerCase(),
      width: next === undefined ? undefined : next - word.start,
    };
  });
}
