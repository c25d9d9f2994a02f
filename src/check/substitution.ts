/**
 * Replaces words by others that look alike, under a key.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { screenWidth } from "../panos/words.ts";

/** No name is as long; beyond it, all words share one mapping. */
const MAX_LENGTH = 256;
const MAX_KNOWN_LENGTH = 32;

/** Characters that may stand for each other. */
type Pool = readonly string[];

/** What stands for a character behind those before it. */
interface Branch {
  readonly character: string;
  readonly next: Node;
}

type Node = Map<string, Branch>;

const LOWER = range("a", "z");
const UPPER = range("A", "Z");
const DIGITS = range("0", "9");
const HEX_LOWER = range("a", "f");
const HEX_UPPER = range("A", "F");

// The others by their length in UTF-8 and their width on a screen, as a
// firewall may pad by either.
const TWO_BYTES = range("ß", "ö");
const THREE_BYTES = range("ạ", "ỹ");
const THREE_BYTES_WIDE = range("一", "俿");
const FOUR_BYTES = range("𝐚", "𝐳");
const FOUR_BYTES_WIDE = range("𠀀", "𠃿");
const PICTURES = range("🐀", "🐾");

/** What an address may hold. */
const HEXADECIMAL = /[0-9a-f:.]/i;

/**
 * A mapping of words that lasts for a run.
 *
 * Equal words become equal words, and equal beginnings equal beginnings. Each
 * letter and digit becomes another one of the same class, length in UTF-8 and
 * width on a screen; punctuation stays. As long as a word may be an address, its
 * hexadecimal digits become hexadecimal digits.
 */
export class Substitution {
  readonly #words: Node = new Map();
  /** What stands behind the beginning of a word that is too long. */
  readonly #rest: Node = new Map();
  readonly #randomByte: () => number;
  readonly #isTaken: (word: string) => boolean;

  /** @param isTaken Whether a word, in small letters, must not be made. */
  constructor(key: Uint8Array, isTaken: (word: string) => boolean) {
    this.#randomByte = randomBytes(key);
    this.#isTaken = isTaken;
  }

  replace(word: string): string {
    let isAddress = true;
    let node = this.#words;
    let replaced = "";
    let length = 0;
    for (const original of word) {
      isAddress &&= HEXADECIMAL.test(original);
      let branch = node.get(original);
      if (branch === undefined) {
        const pool = poolOf(original, isAddress);
        const character = this.#choose(original, pool, replaced);
        const next = length < MAX_LENGTH ? new Map() : this.#rest;
        branch = { character, next };
        node.set(original, branch);
      }
      replaced += branch.character;
      node = branch.next;
      length++;
    }
    return replaced;
  }

  /** Never makes a word that means something to a reader of the table. */
  #choose(original: string, pool: Pool | undefined, before: string): string {
    if (pool === undefined) return original;
    const first = this.#randomByte() * 256 + this.#randomByte();
    for (let n = 0; n < pool.length; n++) {
      const character = pool[(first + n) % pool.length] ?? original;
      if (character === original) continue;
      const end = before.slice(-MAX_KNOWN_LENGTH);
      const word = (end + character).toLowerCase();
      const whole = word.replace(/^[^\p{L}\p{N}]+/u, "");
      const part = word.replace(/^.*[^\p{L}\p{N}](?=.)/su, "");
      if (!this.#isTaken(whole) && !this.#isTaken(part)) return character;
    }
    return original;
  }
}

function poolOf(character: string, isAddress: boolean): Pool | undefined {
  if (/[a-z]/.test(character)) {
    return isAddress ? HEX_LOWER : LOWER;
  }
  if (/[A-Z]/.test(character)) {
    return isAddress ? HEX_UPPER : UPPER;
  }
  if (/[0-9]/.test(character)) return DIGITS;
  if (character < "\u0080") return undefined;
  if (!/[\p{L}\p{N}]/u.test(character)) {
    return character >= "\u{1f300}" && character < "\u{1faff}"
      ? PICTURES
      : undefined;
  }
  if (character < "\u0800") return TWO_BYTES;
  const isWide = screenWidth(character) === 2;
  if (character.length === 1) return isWide ? THREE_BYTES_WIDE : THREE_BYTES;
  return isWide ? FOUR_BYTES_WIDE : FOUR_BYTES;
}

/** An endless sequence of bytes that the key decides. */
function randomBytes(key: Uint8Array): () => number {
  let bytes: Uint8Array = new Uint8Array();
  let used = 0;
  let blocks = 0;
  return () => {
    if (used === bytes.length) {
      bytes = createHash("sha256").update(key).update(String(blocks++))
        .digest();
      used = 0;
    }
    return bytes[used++] ?? 0;
  };
}

function range(first: string, last: string): Pool {
  const start = first.codePointAt(0) ?? 0;
  const end = last.codePointAt(0) ?? 0;
  return Array.from(
    { length: end - start + 1 },
    (_, n) => String.fromCodePoint(start + n),
  );
}
