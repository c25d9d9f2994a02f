/**
 * `--redact`: takes out of a captured text what identifies a customer.
 *
 * Blanks, punctuation, headers, rulers, counts, ids and the words that the
 * firewall itself prints stay where they are, as they teach a new layout. Every
 * other word is replaced by one of the same shape.
 *
 * @module
 */

import { HA_STATES } from "../model/high_availability.ts";
import type { Tunnel } from "../model/tunnel.ts";
import { createScreen } from "../panos/screen.ts";
import { VpnFlowError } from "../panos/vpn_flow_error.ts";
import { isMask } from "../panos/vpn_flow_words.ts";
import type { Outcome } from "./outcome.ts";
import { readReply } from "./parse.ts";
import { escapeUnsafe } from "../std/quote.ts";
import { Substitution } from "./substitution.ts";
import { DEVICE, VOCABULARY } from "./vocabulary.ts";

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
    return { stdout: "", stderr, code: 1 };
  }
  const { text, kept } = redacted;
  const title = `kept: ${kept.length} words; look at them before sending\n`;
  const words = kept.map((word) => `${escapeUnsafe(word)}\n`);
  return { stdout: text, stderr: title + words.join(""), code: 0 };
}

/** What divides a line: redraws, the ends of titles, the start of one. */
// deno-lint-ignore no-control-regex -- CR, BEL and ESC
const DIVIDER = /(\r|\u0007|\u001b\][0-9]*;?|\u001b\[[0-9]*C)/;

/** What leaves no trace on a screen, also in the middle of a word. */
const ESCAPE =
  // deno-lint-ignore no-control-regex -- these are the characters to find
  /(\u001b\[[0-?]*[ -/]*[@-~]|\u001b[ -/]*[0-~]|[\u0000-\u0008\u000b-\u001f\u007f-\u009f])/;

const PROMPT = /^ *[^\s@<]+@[^@<>#]+[>#]/;

const COUNT = /^ *total [^:]*: *[0-9]+ *$/i;

const RULER = /^ *-{2,}[ -]*$/;

const ROOT = /^(?:[^<]{0,512}[>#])? *(?=<(?:\?xml|response)(?:[\s/>]|$))/;

const END = "</response>";

const MARKUP =
  /<!\[CDATA\[|\]\]>|<!--|-->|<[/?!]?(?<name>[\p{L}_][^\s<>/]*)[^<>]*>?/gu;

const REFERENCE = /&(?:#[0-9]+|#x[0-9a-f]+|[a-z]+);|[^]/giu;

/** In these elements a number stays. */
const NUMBERS = /^(?:id|total|num_.*)$/;

/** In these elements a word stays. */
const STATES = /^(?:state|mon|dp|ipsec-mode)$/;

const HA_STATE = new RegExp(
  `^(?<host>.*?)(?<state>\\((?:${HA_STATES.join("|")})\\).*)$`,
  "su",
);

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
    redaction.line(line, lines[index + 1] ?? "")
  );
  return { text: redacted.join("\n"), kept: redaction.kept };
}

function readScreen(bytes: Uint8Array): readonly string[] {
  const screen = createScreen();
  screen.write(bytes);
  return [...screen.lines, screen.line];
}

function isOfFirewall(line: string): boolean {
  return PROMPT.test(line) || COUNT.test(line) || ROOT.test(line) ||
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

/** Words of state and monitor. */
function statusWords(tunnels: readonly Tunnel[]): ReadonlySet<string> {
  const words = tunnels.flatMap(({ stateWord, monitor }) => [
    stateWord,
    monitor,
  ]);
  return new Set(words.map((word) => coreOf(word).toLowerCase()));
}

/** How the words of a row go on up to its id, where the name stands before. */
function rowStart(nameWords: readonly string[], id: string): string {
  return [...nameWords, id].join(" ");
}

/** One run over a text, line by line. */
class Redaction {
  readonly #substitution: Substitution;
  readonly #status: ReadonlySet<string>;
  /** Names and ids that were read, as {@linkcode rowStart} writes them. */
  readonly #rowStarts: ReadonlySet<string>;
  readonly #kept = new Set<string>();
  /** Of the table being read: the number of the id's column, and of all. */
  #id: { readonly column: number; readonly columns: number } | undefined;
  #isInXml = false;
  #element = "";

  constructor(key: Uint8Array, tunnels: readonly Tunnel[]) {
    this.#status = statusWords(tunnels);
    this.#rowStarts = new Set(
      tunnels.map(({ name, id }) => rowStart(wordsOf(name), id)),
    );
    this.#substitution = new Substitution(key, (word) => this.#isKnown(word));
  }

  get kept(): readonly string[] {
    return [...this.#kept];
  }

  line(line: string, next: string): string {
    return line.split(DIVIDER).map((part, index) =>
      index % 2 === 1 ? part : this.#part(part, next)
    ).join("");
  }

  /** Leaves escape sequences where they stand, between the same characters. */
  #part(part: string, next: string): string {
    const pieces = part.split(ESCAPE);
    const visible = pieces.filter((_, index) => index % 2 === 0).join("");
    const redacted = this.#visible(visible, next);
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

  #visible(line: string, next: string): string {
    if (this.#isInXml && PROMPT.test(line)) this.#isInXml = false;
    if (this.#isInXml) return this.#xml(line);
    const root = ROOT.exec(line)?.[0];
    if (root === undefined) return this.#plain(line, next);
    this.#isInXml = true;
    return this.#words(root) + this.#xml(line.slice(root.length));
  }

  #plain(line: string, next: string): string {
    if (PROMPT.test(line)) {
      this.#id = undefined;
      return this.#words(line);
    }
    if (isHeader(line, next)) {
      const words = wordsOf(line);
      const column = words.findIndex((word) => word.toLowerCase() === "id");
      this.#id = { column, columns: words.length };
      return line.replace(/[^\s]+/gu, (word) => this.#keep(word));
    }
    if (COUNT.test(line)) {
      this.#id = undefined;
      const number = line.lastIndexOf(":") + 1;
      return this.#words(line.slice(0, number)) + line.slice(number);
    }
    return this.#words(line, this.#findId(line));
  }

  /** The number of the word that is the id of a row, if the line is one. */
  #findId(line: string): number | undefined {
    const words = wordsOf(line);
    const isNumber = (index: number): boolean =>
      /^[0-9]{1,10}$/.test(words[index] ?? "");
    const { column = 0, columns = 0 } = this.#id ?? {};
    if (column <= 0) return words.length > 2 && isNumber(0) ? 0 : undefined;
    // a name before it may hold blanks, a value behind it may be missing
    const first = Math.max(column, words.length - (columns - column));
    const found = [...words.keys()].slice(first).filter(isNumber);
    const isRead = (index: number): boolean =>
      this.#rowStarts.has(rowStart(words.slice(0, index), words[index] ?? ""));
    return found.find(isRead) ?? found[0];
  }

  /** @param idAt The number of the blank-separated word that stays. */
  #words(line: string, idAt?: number): string {
    let index = 0;
    return line.replace(/[^\s]+/gu, (word) => {
      if (index++ === idAt) return word;
      const parts = word.split("@");
      // an account or a host is a name, whatever it is called
      return parts.length === 1
        ? this.#word(word)
        : parts.map((part) => this.#name(part)).join("@");
    });
  }

  #name(name: string): string {
    const { host = name, state = "" } = HA_STATE.exec(name)?.groups ?? {};
    return this.#substitution.replace(host) + this.#keep(state);
  }

  #word(word: string): string {
    if (HA_STATE.test(word)) return this.#name(word);
    const core = coreOf(word);
    // what somebody has masked tells nothing, and is known as such
    if (core === "" || isMask(word)) return word;
    return this.#isKnown(core.toLowerCase()) || DEVICE.test(core)
      ? this.#keep(word)
      : this.#substitution.replace(word);
  }

  #isKnown(word: string): boolean {
    return VOCABULARY.has(word) || this.#status.has(word);
  }

  #keep(word: string): string {
    const core = coreOf(word);
    const kept = DEVICE.exec(core)?.groups?.["word"] ?? core;
    if (/\p{L}/u.test(kept)) this.#kept.add(kept);
    return word;
  }

  #xml(line: string): string {
    const end = line.indexOf(END);
    const stop = end === -1 ? line.length : end + END.length;
    let output = "";
    let position = 0;
    for (const match of line.slice(0, stop).matchAll(MARKUP)) {
      output += this.#xmlText(line.slice(position, match.index));
      output += this.#markup(match[0], match.groups?.["name"]);
      position = match.index + match[0].length;
    }
    output += this.#xmlText(line.slice(position, stop));
    if (end === -1) return output;
    this.#isInXml = false;
    return output + this.#plain(line.slice(stop), "");
  }

  #markup(markup: string, name: string | undefined): string {
    if (name === undefined) return markup;
    this.#keep(name);
    this.#element = /^<[/?!]|\/>$/.test(markup) ? "" : name;
    const start = markup.indexOf(name) + name.length;
    const attributes = markup.slice(start).replace(
      /(?<quote>["'])(?<value>.*?)\k<quote>/gu,
      (_, mark: string, value: string) => mark + this.#xmlText(value) + mark,
    );
    return markup.slice(0, start) + attributes;
  }

  #xmlText(text: string): string {
    const isKept = (NUMBERS.test(this.#element) && /^[0-9\s]*$/.test(text)) ||
      (STATES.test(this.#element) && /^\s*[^\s]{0,20}\s*$/u.test(text));
    if (isKept) return text.replace(/[^\s]+/gu, (word) => this.#keep(word));
    if (!text.includes("&")) return this.#words(text);
    // the text form shows characters where the XML refers to them
    const written = text.match(REFERENCE) ?? [];
    const meant = written.map(characterOf);
    const redacted = [...this.#words(meant.join(""))];
    return written.map((reference, index) =>
      redacted[index] === meant[index] ? reference : redacted[index] ?? ""
    ).join("");
  }
}

function characterOf(reference: string): string {
  const code = /^&#(?<hex>x?)(?<digits>[0-9a-f]+);$/i.exec(reference)?.groups;
  if (code !== undefined) {
    const point = parseInt(code["digits"] ?? "", code["hex"] === "" ? 10 : 16);
    return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : "?";
  }
  switch (reference) {
    case "&amp;":
      return "&";
    case "&lt;":
      return "<";
    case "&gt;":
      return ">";
    case "&quot;":
      return '"';
    case "&apos;":
      return "'";
    default:
      return reference.length === 1 || !reference.startsWith("&")
        ? reference
        : "&";
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

function wordsOf(line: string): readonly string[] {
  return line.match(/[^\s]+/gu) ?? [];
}

/** A word without the punctuation around it. */
function coreOf(word: string): string {
  return /[\p{L}\p{N}](?:.*[\p{L}\p{N}])?/su.exec(word)?.[0] ?? "";
}
