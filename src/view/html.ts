/**
 * HTML that cannot be mixed up with text.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { escapeUnsafe } from "../std/quote.ts";

/** Markup that was written through {@linkcode markup}, and by nothing else. */
export class Html {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  /** What it takes on the wire, before compression. */
  get bytes(): number {
    return Buffer.byteLength(this.#markup);
  }

  toString(): string {
    return this.#markup;
  }
}

/** What a template may hold; `undefined` shows nothing. */
export type Content = Html | string | number | undefined | readonly Content[];

/**
 * Writes HTML. Values are text and are escaped, unless they were written through
 * this tag themselves. Attributes have to stand in double quotes.
 *
 * It is not called `html`, as the formatter would then change the blanks in it.
 */
export function markup(
  parts: TemplateStringsArray,
  ...values: readonly Content[]
): Html {
  let markup = parts[0] ?? "";
  for (const [index, value] of values.entries()) {
    markup += toMarkup(value) + (parts[index + 1] ?? "");
  }
  return new Html(markup);
}

function toMarkup(value: Content): string {
  if (value === undefined) return "";
  if (value instanceof Html) return value.toString();
  if (typeof value === "string") return escapeText(value);
  if (typeof value === "number") return String(value);
  return value.map(toMarkup).join("");
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&#39;"],
]);

function escapeText(text: string): string {
  return escapeUnsafe(text).replace(
    /[&<>"']/g,
    (character) => ENTITIES.get(character) ?? "",
  );
}
