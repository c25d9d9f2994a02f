/**
 * `--redact`: takes out of a captured text what identifies a customer.
 *
 * Blanks, punctuation, headers, rulers, counts, ids and the words that the
 * firewall itself prints stay where they are, as they teach a new layout. Every
 * other word is replaced by one of the same shape.
 *
 * @module
 */

import type { Tunnel } from "../model/tunnel.ts";
import { Screen } from "../panos/screen.ts";
import { VpnFlowError } from "../panos/vpn_flow_error.ts";
import { findXml } from "../panos/vpn_flow_xml.ts";
import { escapeUnsafe } from "../std/quote.ts";
import { formatAmount } from "../std/words.ts";
import { EXIT, type Outcome } from "./outcome.ts";
import { readReply } from "./parse.ts";
import { WordRedaction, wordsOf } from "./redact_words.ts";
import { XmlRedaction } from "./redact_xml.ts";
import { VOCABULARY } from "./vocabulary.ts";

/** A text that may be shown to others. */
export interface Redacted {
  readonly text: string;
  /** The words that stay, each once, in the order of the text. */
  readonly kept: readonly string[];
}

/** Redacts a text under a key of this run, and says which words stay. */
export function redact(bytes: Uint8Array): Outcome {
  const redacted = redactText(
    bytes,
    crypto.getRandomValues(new Uint8Array(32)),
  );
  if (redacted === undefined) {
    const stderr =
      "Cannot redact this: it holds no table, no XML and no prompt of a firewall\n";
    return { stdout: "", stderr, code: EXIT.failure };
  }
  const { text, kept } = redacted;
  const amount = formatAmount(kept.length, "word");
  const title = `kept: ${amount}; look at them before sending\n`;
  const words = kept.map((word) => `${escapeUnsafe(word)}\n`);
  return { stdout: text, stderr: title + words.join(""), code: EXIT.good };
}

/** What divides a line: redraws, the ends of titles, the start of one. */
// deno-lint-ignore no-control-regex -- CR, BEL and ESC
const DIVIDER = /(\r|\u0007|\u001b\][0-9]*;?|\u001b\[[0-9]*C)/;

/** What leaves no trace on a screen, also in the middle of a word. */
const ESCAPE =
  // deno-lint-ignore no-control-regex -- these are the characters to find
  /(\u001b\[[0-?]*[ -/]*[@-~]|\u001b[ -/]*[0-~]|[\u0000-\u0008\u000b-\u001f\u007f-\u009f])/;

/** A prompt; an element of XML that holds an `@` is none. */
const PROMPT = /^ *[^\s@<]+@[^@<>#]+[>#]/;

/** A count of any kind, also of a layout that nobody knows. */
const COUNT = /^ *total [^:]*: *[0-9]+ *$/i;

/** The line below a header. */
const RULER = /^ *-{2,}[ -]*$/;

/**
 * Takes out of a text what identifies a customer.
 *
 * @param key Random; the same key makes the same of the same text.
 * @returns `undefined` if the text has no table, no XML and no prompt.
 */
export function redactText(
  bytes: Uint8Array,
  key: Uint8Array,
): Redacted | undefined {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const lines = text.split("\n");
  const shown = readScreen(bytes);
  if (!shown.some(isOfFirewall)) return undefined;
  const redaction = new Redaction(key, readTunnels(shown));
  const redacted = lines.map((line, index) =>
    redaction.redactLine(line, lines[index + 1] ?? "")
  );
  return { text: redacted.join("\n"), kept: redaction.kept };
}

function readScreen(bytes: Uint8Array): readonly string[] {
  const screen = new Screen();
  screen.write(bytes);
  return [...screen.lines, screen.line];
}

function isOfFirewall(line: string): boolean {
  return PROMPT.test(line) || COUNT.test(line) || findXml(line) !== undefined ||
    isHeader(line, "");
}

/** What is known of the rows; nothing, where the text cannot be read. */
function readTunnels(lines: readonly string[]): readonly Tunnel[] {
  try {
    return readReply(lines).tunnels;
  } catch (error) {
    if (error instanceof VpnFlowError) return [];
    throw error;
  }
}

/** A row up to its id, in a table where the name stands before the id. */
function rowStart(nameWords: readonly string[], id: string): string {
  return [...nameWords, id].join(" ");
}

/** One run over a text, line by line. */
class Redaction {
  readonly #words: WordRedaction;
  /** Names and ids that were read, as {@linkcode rowStart} writes them. */
  readonly #rowStarts: ReadonlySet<string>;
  /** Where the ids of the table stand that is being read. */
  #ids: { readonly column: number; readonly columns: number } | undefined;
  /** The answer that is being read. */
  #xml: XmlRedaction | undefined;

  constructor(key: Uint8Array, tunnels: readonly Tunnel[]) {
    this.#words = new WordRedaction(key, tunnels);
    this.#rowStarts = new Set(
      tunnels.map(({ name, id }) => rowStart(wordsOf(name), id)),
    );
  }

  get kept(): readonly string[] {
    return this.#words.kept;
  }

  /** @param next The line below it: a header stands over a ruler. */
  redactLine(line: string, next: string): string {
    return line.split(DIVIDER).map((part, index) =>
      index % 2 === 1 ? part : this.#redactPart(part, next)
    ).join("");
  }

  /** Leaves escape sequences where they stand, between the same characters. */
  #redactPart(part: string, next: string): string {
    const pieces = part.split(ESCAPE);
    const visible = pieces.filter((_, index) => index % 2 === 0).join("");
    const redacted = this.#redactVisible(visible, next);
    if (pieces.length === 1) return redacted;
    const characters = [...redacted];
    let position = 0;
    return pieces.map((piece, index) => {
      if (index % 2 === 1) return piece;
      const start = position;
      position = index === pieces.length - 1
        ? characters.length
        : start + [...piece].length;
      return characters.slice(start, position).join("");
    }).join("");
  }

  #redactVisible(line: string, next: string): string {
    if (PROMPT.test(line)) this.#xml = undefined;
    if (this.#xml !== undefined) return this.#redactXml(line, this.#xml);
    const start = findXml(line);
    if (start === undefined) return this.#redactPlain(line, next);
    const xml = this.#xml = new XmlRedaction(this.#words);
    return this.#words.redact(line.slice(0, start)) +
      this.#redactXml(line.slice(start), xml);
  }

  #redactXml(line: string, xml: XmlRedaction): string {
    const { redacted, rest } = xml.redact(line);
    if (rest === undefined) return redacted;
    this.#xml = undefined;
    return redacted + this.#redactPlain(rest, "");
  }

  #redactPlain(line: string, next: string): string {
    if (PROMPT.test(line)) {
      this.#ids = undefined;
      return this.#words.redact(line);
    }
    if (isHeader(line, next)) {
      const words = wordsOf(line);
      const column = words.findIndex((word) => word.toLowerCase() === "id");
      this.#ids = { column, columns: words.length };
      return this.#words.keep(line);
    }
    if (COUNT.test(line)) {
      this.#ids = undefined;
      const number = line.lastIndexOf(":") + 1;
      return this.#words.redact(line.slice(0, number)) + line.slice(number);
    }
    return this.#words.redact(line, this.#findId(line));
  }

  /** The number of the word that is the id of a row, if the line is one. */
  #findId(line: string): number | undefined {
    const words = wordsOf(line);
    const isNumber = (index: number): boolean =>
      /^[0-9]{1,10}$/.test(words[index] ?? "");
    const { column = 0, columns = 0 } = this.#ids ?? {};
    if (column <= 0) return words.length > 2 && isNumber(0) ? 0 : undefined;
    // a name before it may hold blanks, a value behind it may be missing
    const first = Math.max(column, words.length - (columns - column));
    const found = [...words.keys()].slice(first).filter(isNumber);
    const isRead = (index: number): boolean =>
      this.#rowStarts.has(rowStart(words.slice(0, index), words[index] ?? ""));
    return found.find(isRead) ?? found[0];
  }
}

/**
 * A header has the columns without which no table can be read, or stands over a
 * ruler and uses words of the table.
 */
function isHeader(line: string, next: string): boolean {
  const words = wordsOf(line.toLowerCase());
  if (words.length < 3 || words.some((word) => /^[0-9]+$/.test(word))) {
    return false;
  }
  const isWhole = ["id", "name", "state"].every((word) => words.includes(word));
  if (isWhole) {
    return words.length <= 16 && /^(?:id|name)$/.test(words[0] ?? "");
  }
  const ruler = next.replace(/\r$/, "");
  if (!RULER.test(ruler)) return false;
  const known = words.filter((word) => VOCABULARY.has(word)).length;
  return known >= (wordsOf(ruler).length === words.length ? 1 : 3);
}
