/**
 * Redacts an answer in XML, line by line: elements stay, texts do not.
 *
 * @module
 */

import type { WordRedaction } from "./redact_words.ts";

const END = "</response>";

const MARKUP =
  /<!\[CDATA\[|\]\]>|<!--|-->|<[/?!]?(?<name>[\p{L}_][^\s<>/]*)[^<>]*>?/gu;

/** The first line of a document, which names nobody. */
const DECLARATION =
  /^<\?xml(?:\s+(?:version|encoding|standalone)=(?:"[a-z0-9.-]{1,10}"|'[a-z0-9.-]{1,10}'))*\s*\?>$/i;

const ATTRIBUTE = /(?<quote>["'])(?<value>.*?)\k<quote>/gu;

/** A reference to a character, or a character. */
const REFERENCE = /&(?:#[0-9]+|#x[0-9a-f]+|[a-z]+);|[^]/giu;

/** In these elements a number stays. */
const NUMBERS = /^(?:id|total|num_.*)$/;

/** In these elements a word stays. */
const STATES = /^(?:state|mon|dp|ipsec-mode)$/;

/** The redaction of one answer. */
export class XmlRedaction {
  readonly #words: WordRedaction;
  /** The element whose text comes next; empty behind its end. */
  #element = "";

  constructor(words: WordRedaction) {
    this.#words = words;
  }

  /**
   * Redacts a line, or as much of it as belongs to the answer.
   *
   * @returns The redacted part, and what stands behind the answer if it ends.
   */
  redact(
    line: string,
  ): { readonly redacted: string; readonly rest: string | undefined } {
    const end = line.indexOf(END);
    const stop = end === -1 ? line.length : end + END.length;
    let redacted = "";
    let position = 0;
    for (const match of line.slice(0, stop).matchAll(MARKUP)) {
      redacted += this.#redactText(line.slice(position, match.index));
      redacted += this.#redactMarkup(match[0], match.groups?.["name"]);
      position = match.index + match[0].length;
    }
    redacted += this.#redactText(line.slice(position, stop));
    return { redacted, rest: end === -1 ? undefined : line.slice(stop) };
  }

  #redactMarkup(markup: string, name: string | undefined): string {
    if (name === undefined || DECLARATION.test(markup)) return markup;
    this.#words.keep(name);
    this.#element = /^<[/?!]|\/>$/.test(markup) ? "" : name;
    const start = markup.indexOf(name) + name.length;
    const attributes = markup.slice(start).replace(
      ATTRIBUTE,
      (_, quote: string, value: string) =>
        quote + this.#redactText(value) + quote,
    );
    return markup.slice(0, start) + attributes;
  }

  #redactText(text: string): string {
    if (!text.includes("&")) {
      return this.#isKept(text)
        ? this.#words.keep(text)
        : this.#words.redact(text);
    }
    // the text form shows characters where the XML refers to them
    const written = text.match(REFERENCE) ?? [];
    const meant = written.map(characterOf);
    if (this.#isKept(meant.join(""))) return text;
    const redacted = [...this.#words.redact(meant.join(""))];
    return written.map((reference, index) =>
      redacted[index] === meant[index] ? reference : redacted[index] ?? ""
    ).join("");
  }

  #isKept(text: string): boolean {
    return (NUMBERS.test(this.#element) && /^[0-9\s]*$/.test(text)) ||
      (STATES.test(this.#element) && /^\s*[^\s]{0,20}\s*$/u.test(text));
  }
}

const CHARACTERS: ReadonlyMap<string, string> = new Map([
  ["&amp;", "&"],
  ["&lt;", "<"],
  ["&gt;", ">"],
  ["&quot;", '"'],
  ["&apos;", "'"],
]);

/** What a reference stands for; a character stands for itself. */
function characterOf(reference: string): string {
  const code = /^&#(?<hex>x?)(?<digits>[0-9a-f]+);$/i.exec(reference)?.groups;
  if (code !== undefined) {
    const point = parseInt(code["digits"] ?? "", code["hex"] === "" ? 10 : 16);
    return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : "?";
  }
  if (reference.length === 1 || !reference.startsWith("&")) return reference;
  return CHARACTERS.get(reference) ?? "&";
}
