/**
 * Which words of a captured text stay, and what stands for the others.
 *
 * @module
 */

import { HA_STATES } from "../model/high_availability.ts";
import type { Tunnel } from "../model/tunnel.ts";
import { isMask } from "../panos/vpn_flow_words.ts";
import { Substitution } from "./substitution.ts";
import { DEVICE, VOCABULARY } from "./vocabulary.ts";

const HA_STATE = new RegExp(
  `^(?<host>.*?)(?<state>\\((?:${HA_STATES.join("|")})\\).*)$`,
  "su",
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
    this.#substitution = new Substitution(key, (word) => this.#isKnown(word));
  }

  /** Words that stay and have a letter, each once, in the order of the text. */
  get kept(): readonly string[] {
    return [...this.#kept];
  }

  /**
   * Redacts the words between the blanks of a text.
   *
   * @param idAt The number of the word that is an id, and stays.
   */
  redact(text: string, idAt?: number): string {
    let index = 0;
    return text.replace(WORD, (word) => {
      if (index++ === idAt) return word;
      const parts = word.split("@");
      // an account or a host is a name, even if it is a word of the table
      return parts.length === 1
        ? this.#redactWord(word)
        : parts.map((part) => this.#redactName(part)).join("@");
    });
  }

  /** Notes that all words of a text stay. */
  keep(text: string): string {
    for (const word of wordsOf(text)) {
      const core = coreOf(word);
      const kept = DEVICE.exec(core)?.groups?.["word"] ?? core;
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
    // a mask such as xxx stays: it tells nothing, and --parse knows it
    if (core === "" || isMask(word)) return word;
    return this.#isKnown(core.toLowerCase()) || DEVICE.test(core)
      ? this.keep(word)
      : this.#substitution.replace(word);
  }

  #isKnown(word: string): boolean {
    return VOCABULARY.has(word) || this.#statusWords.has(word);
  }
}

const WORD = /[^\s]+/gu;

/** The words between the blanks of a text. */
export function wordsOf(text: string): readonly string[] {
  return text.match(WORD) ?? [];
}

/** A word without the punctuation around it. */
function coreOf(word: string): string {
  return /[\p{L}\p{N}](?:.*[\p{L}\p{N}])?/su.exec(word)?.[0] ?? "";
}
