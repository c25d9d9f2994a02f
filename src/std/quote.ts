/**
 * Text from outside, made safe to print on one line.
 *
 * @module
 */

import type { Secret } from "./secret.ts";

/** Characters that can move a terminal's cursor, break a line or reorder it. */
const UNSAFE =
  // deno-lint-ignore no-control-regex -- these are the characters to find
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

/** Writes unsafe characters as `\u{…}`, so that what was sent can be seen. */
export function escapeUnsafe(text: string): string {
  return text.replace(
    UNSAFE,
    (character) => `\\u{${character.charCodeAt(0).toString(16)}}`,
  );
}

/** Cuts a text that is too long, and shows by `…` that it did. */
export function shorten(text: string, limit: number): string {
  return text.length > limit ? `${text.slice(0, limit)}…` : text;
}

/**
 * Puts text in double quotes for a message, escaped and on one line.
 *
 * @param limit Characters to keep; what is cut off is shown as `…`.
 */
export function quote(text: string, limit = 120): string {
  return `"${escapeUnsafe(shorten(text, limit))}"`;
}

/** Puts text in double quotes, as {@linkcode quote} does. */
export type Quote = (text: string, limit?: number) => string;

/** Takes out of a text from outside what must not be shown. */
export type Mask = (text: string) => string;

/**
 * A shorter secret may be a part of usual words, where `***` would give it away:
 * such a text is left out whole.
 */
const MIN_MASKED_LENGTH = 4;

/** Makes a mask that replaces a secret wherever it stands. */
export function maskOf(secret: Secret | undefined): Mask {
  const text = secret?.reveal();
  if (text === undefined || text === "") return (text) => text;
  return (said) => {
    if (!said.includes(text)) return said;
    return text.length < MIN_MASKED_LENGTH ? "" : said.replaceAll(text, "***");
  };
}

/** Quotes what a firewall says, without the secret that it may say back. */
export function quoteWithout(secret: Secret | undefined): Quote {
  const mask = maskOf(secret);
  return (text, limit) => quote(mask(text), limit);
}
