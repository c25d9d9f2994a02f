/**
 * Which words of a captured text stay, and what stands for the others.
 *
 * @module
 */

import { HA_STATES } from "../model/high_availability.ts";
import type { Tunnel } from "../model/tunnel.ts";
import { MESSAGE_WITHIN } from "../panos/cli_messages.ts";
import { isMask } from "../panos/vpn_flow_words.ts";
import { Substitution } from "./substitution.ts";
import { DEVICE, INTERFACE, VOCABULARY } from "./vocabulary.ts";

const HA_STATE = new RegExp(
  `^(?<host>.*?)(?<state>\\((?:${HA_STATES.join("|")})\\).*)$`,
  "su",
);

const WORD = /[^\s]+/gu;

/** A message of the system is set apart from what it came into. */
const PIECE = new RegExp(
  `${MESSAGE_WITHIN.source}|\\S+?(?=${MESSAGE_WITHIN.source})|\\S+`,
  "giu",
);

/** Redacts words under one key, and remembers which ones it kept. */
export class WordRedaction {
  readonly #substitution: Substitution;
  /** What the tunnels of this text have as state and monitor. */
  readonly #statusWords: ReadonlySet<string>;
  readonly #kept = new Set<string>();

  /** @param tunnels As far as the text can be read; else none. */
  constructor(key: Uint8Array, tunnels: readonly Tunnel[]) {
    this.#statusWords = new Set(
      tunnels.flatMap(({ stateWord, monitor }) => [stateWord, monitor])
        .map((word) => coreOf(word).toLowerCase()),
    );
    this.#substitution = new Substitution(key, (word) => this.#isTaken(word));
  }

  /** Words that stay and have a letter, each once, in the order of the text. */
  get kept(): readonly string[] {
    return [...this.#kept];
  }

  /**
   * Redacts the words between the blanks of a text.
   *
   * @param idAt Where the word starts that is an id, and stays.
   */
  redact(text: string, idAt?: number): string {
    return text.replace(PIECE, (piece, at: number) => {
      if (at === idAt) return piece;
      if (MESSAGE_WITHIN.test(piece)) return this.keep(piece);
      const parts = piece.split("@");
      // an account or a host is a name, even if it is a word of the table
      return parts.length === 1
        ? this.#redactWord(piece)
        : parts.map((part) => this.#redactName(part)).join("@");
    });
  }

  /** Notes that all words of a text stay. */
  keep(text: string): string {
    for (const word of wordsOf(text)) {
      const core = coreOf(word);
      const numbered = DEVICE.exec(core) ?? INTERFACE.exec(core);
      const kept = numbered?.groups?.["word"] ?? core;
      if (/\p{L}/u.test(kept)) this.#kept.add(kept);
    }
    return text;
  }

  #redactName(name: string): string {
    const { host = name, state = "" } = HA_STATE.exec(name)?.groups ?? {};
    return this.#substitution.replace(host) + this.keep(state);
  }

  #redactWord(word: string): string {
    if (HA_STATE.test(word)) return this.#redactName(word);
    const core = coreOf(word);
    if (INTERFACE.test(core)) {
      return this.keep(word).replace(core, this.#redactInterface(core));
    }
    if (!this.#isTaken(word)) return this.#substitution.replaceFree(word);
    // a mask such as xxx tells nothing, and is no word to look at
    return isMask(word) ? word : this.keep(word);
  }

  /** Replaces the digits, and nothing that may be a mask. */
  #redactInterface(name: string): string {
    const replaced = this.#substitution.replace(name);
    return name.replace(/[0-9]/g, (digit, at: number) => replaced[at] ?? digit);
  }

  /** Whether a word stays or is redacted in a way of its own. */
  #isTaken(word: string): boolean {
    if (isMask(word) || HA_STATE.test(word)) return true;
    const core = coreOf(word);
    const known = core.toLowerCase();
    return core === "" || VOCABULARY.has(known) ||
      this.#statusWords.has(known) || DEVICE.test(core) || INTERFACE.test(core);
  }
}

/** The words between the blanks of a text. */
export function wordsOf(text: string): readonly string[] {
  return text.match(WORD) ?? [];
}

/** A word without the punctuation around it. */
function coreOf(word: string): string {
  return /[\p{L}\p{N}](?:.*[\p{L}\p{N}])?/su.exec(word)?.[0] ?? "";
}
