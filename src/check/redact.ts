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
import { Screen, TAB_WIDTH } from "../panos/screen.ts";
import { MAX_LINE_LENGTH } from "../panos/vpn_flow.ts";
import { VpnFlowError } from "../panos/vpn_flow_error.ts";
import {
  findHeaderProblem,
  type Header,
  isHeader as isTableHeader,
  parseHeader,
} from "../panos/vpn_flow_header.ts";
import { readRow } from "../panos/vpn_flow_row.ts";
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

/** What divides a line: redraws, and blanks that are no characters. */
// deno-lint-ignore no-control-regex -- CR and ESC
const DIVIDER = /(\r|\u001b\[[0-9]*C)/;

/** What leaves no trace on a screen, also in the middle of a word. */
const ESCAPE =
  // deno-lint-ignore no-control-regex -- these are the characters to find
  /(\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\|$)|\u001b\[[0-?]*[ -/]*[@-~]|\u001b[ -/]*[0-~]|[\u0000-\u0008\u000b-\u001f\u007f-\u009f])/;

/** The title of a window, which is shown elsewhere. */
// deno-lint-ignore no-control-regex -- BEL and ESC
const TITLE = /^(\u001b\][0-9]*;?)([^\u0007\u001b]+)/;

/** A prompt; an element of XML that holds an `@` is none. */
const PROMPT = /^ *[^\s@<]+@[^@<>#]+[>#]/;

/** A count of any kind, also of a layout that nobody knows. */
const COUNT = /^ *total [^:]*: *[0-9]+ *$/i;

/** The line below a header. */
const RULER = /^\s*-{2,}[\s-]*$/;

/** More than any header has. */
const MAX_COLUMNS = 16;

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

/** A line as a screen shows it: its blanks are where headers start. */
function expandTabs(line: string): string {
  const parts = line.split("\t");
  return parts.map((part, index) =>
    index === parts.length - 1
      ? part
      : part + " ".repeat(TAB_WIDTH - part.length % TAB_WIDTH)
  ).join("");
}

/** One run over a text, line by line. */
class Redaction {
  readonly #words: WordRedaction;
  #columns = new Columns("");
  /** The answer that is being read. */
  #xml: XmlRedaction | undefined;

  constructor(key: Uint8Array, tunnels: readonly Tunnel[]) {
    this.#words = new WordRedaction(key, tunnels);
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
      if (index % 2 === 1) return this.#redactTitle(piece);
      const start = position;
      position = index === pieces.length - 1
        ? characters.length
        : start + [...piece].length;
      return characters.slice(start, position).join("");
    }).join("");
  }

  #redactTitle(escape: string): string {
    return escape.replace(
      TITLE,
      (_, start: string, title: string) => start + this.#words.redact(title),
    );
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
      this.#columns = new Columns("");
      return this.#words.redact(line);
    }
    const shown = expandTabs(line);
    if (isHeader(shown, next)) {
      this.#columns = new Columns(shown);
      return this.#words.keep(line);
    }
    if (COUNT.test(shown)) {
      this.#columns = new Columns("");
      const number = line.lastIndexOf(":") + 1;
      return this.#words.redact(line.slice(0, number)) + line.slice(number);
    }
    return this.#words.redact(line, this.#columns.findId(line));
  }
}

/** The columns of a table, as far as they tell where the ids stand. */
class Columns {
  readonly #words: readonly string[];
  /** `undefined` if `--parse` reads no row below it. */
  readonly #header: Header | undefined;

  /** @param header Its tabs are expanded; empty where there is none. */
  constructor(header: string) {
    this.#words = wordsOf(header.toLowerCase());
    const isRead = isTableHeader(header) &&
      findHeaderProblem(header) === undefined;
    this.#header = isRead ? parseHeader(header) : undefined;
  }

  /** Finds where the id starts, if the line is a row. */
  findId(line: string): number | undefined {
    if (line.length > MAX_LINE_LENGTH) return undefined;
    const matches = [...line.matchAll(/\S+/g)];
    const words = matches.map(([word]) => word);
    return matches[this.#findIdIn(words, this.#readRow(line))]?.index;
  }

  /** @returns `undefined` if the row is not certain. */
  #readRow(line: string): Tunnel | undefined {
    if (this.#header === undefined) return undefined;
    const [tunnel, ...others] = readRow(expandTabs(line), this.#header);
    return others.length === 0 ? tunnel : undefined;
  }

  #findIdIn(words: readonly string[], tunnel: Tunnel | undefined): number {
    if (tunnel === undefined && words.length < 3) return -1;
    const isId = (word: string): boolean =>
      tunnel === undefined ? /^[0-9]{1,10}$/.test(word) : word === tunnel.id;
    // the first column, in a table that does not call it so
    const column = Math.max(0, this.#words.indexOf("id"));
    // a value before it may be missing
    if (column <= this.#words.indexOf("name") || column === 0) {
      return words.slice(0, column + 1).findLastIndex(isId);
    }
    // a name before it may hold blanks, a value behind it may be missing
    const first = Math.max(
      tunnel === undefined ? column : endOf(wordsOf(tunnel.name), words),
      words.length - (this.#words.length - column),
    );
    return words.findIndex((word, index) => index >= first && isId(word));
  }
}

/** The number of the word behind those of a name. */
function endOf(name: readonly string[], words: readonly string[]): number {
  const start = words.findIndex((_, index) =>
    name.every((word, n) => word === words[index + n])
  );
  return start + name.length;
}

/**
 * A header is one that `--parse` knows, or has the columns without which no table
 * can be read, or stands over a ruler and uses words of the table.
 */
function isHeader(line: string, next: string): boolean {
  const words = wordsOf(line.toLowerCase());
  if (words.length < 3 || words.length > MAX_COLUMNS) return false;
  if (words.some((word) => /^[0-9]+$/.test(word))) return false;
  if (isTableHeader(line)) return true;
  if (["id", "name", "state"].every((word) => words.includes(word))) {
    return /^(?:id|name)$/.test(words[0] ?? "");
  }
  if (!RULER.test(next)) return false;
  const known = words.filter((word) => VOCABULARY.has(word)).length;
  return known >= (wordsOf(next).length === words.length ? 1 : 3);
}
