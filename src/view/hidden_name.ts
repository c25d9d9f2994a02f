/**
 * The page is for everybody who can reach it: it names no account.
 *
 * @module
 */

import { escapeUnsafe } from "../std/quote.ts";

/** Replaces a name where it stands as a word of its own. */
export function withoutName(message: string, username: string): string {
  const name = RegExp.escape(escapeUnsafe(username));
  const word = new RegExp(
    `(?<![\\p{L}\\p{N}_])${name}(?![\\p{L}\\p{N}_])`,
    "giu",
  );
  return message.replace(word, "USERNAME");
}
