/**
 * What a firewall offered when no algorithm was common to both sides.
 *
 * @module
 */

import type { Quote } from "../std/quote.ts";

/** What ssh2 notes while it compares algorithms. */
const LISTS_OR_CHOICE = /^Handshake: (?!no matching|strict)/i;

/** Characters of a list that are shown: all of a usual one. */
const MAX_SHOWN = 400;

/**
 * Reads it from the notes of ssh2, which tells it nowhere else: each list is
 * followed by the choice that was made, unless there was no match.
 */
export class Offer {
  #unmatched: string | undefined;

  /** Reads one note. */
  note(line: string): void {
    if (!LISTS_OR_CHOICE.test(line)) return;
    this.#unmatched = /\(remote\) (.+)$/.exec(line)?.[1];
  }

  /** The list that nothing matched, as the end of a sentence. */
  explain(quote: Quote, allowsLegacy: boolean): string {
    if (this.#unmatched === undefined) return "";
    const hint = allowsLegacy
      ? ""
      : ", and if it is old, SSH_LEGACY_ALGORITHMS=true may help";
    return `; it offers ${quote(this.#unmatched, MAX_SHOWN)}${hint}`;
  }
}
