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

/** What follows one beginning of words. */
class Node {
  readonly branches = new Map<string, Branch>();
  /** What stands for a character already. */
  readonly used = new Set<string>();

  /** Whether one character stands, by way of others, for the other. */
  leadsTo(from: string, to: string): boolean {
    let character: string | undefined = from;
    while (character !== undefined && character !== to) {
      character = this.branches.get(character)?.character;
    }
    return character === to;
  }
}

const LOWER = range("a", "z");
const UPPER = range("A", "Z");
const DIGITS = range("0", "9");
// behind what may begin an address
const HEX_LOWER = range("a", "f");
const OTHER_LOWER = range("g", "z");
const HEX_UPPER = range("A", "F");
const OTHER_UPPER = range("G", "Z");

// The others by their length in UTF-8 and their width on a screen, as a
// firewall may pad by either.
const TWO_BYTES = range("Ā", "ɏ");
const THREE_BYTES = range("Ḁ", "ỹ");
const THREE_BYTES_WIDE = range("一", "俿");
const FOUR_BYTES = range("𝐀", "𝑔");
const FOUR_BYTES_WIDE = range("𠀀", "𠃿");
const PICTURES = range("🐀", "🐾");

/** What an address may hold. */
const HEXADECIMAL = /[0-9a-f:.]/i;

/**
 * A mapping of words that lasts for a run.
 *
 * Equal words become equal words, equal beginnings equal beginnings, and
 * different words different words: behind each beginning no character stands for
 * two. Each letter and digit becomes another one of the same class, length in
 * UTF-8 and width on a screen; punctuation stays. As long as a word may be an
 * address, its hexadecimal digits become hexadecimal digits.
 */
export class Substitution {
  readonly #words = new Node();
  /** What stands behind the beginning of a word that is too long. */
  readonly #rest = new Node();
  readonly #randomByte: () => number;
  readonly #isTaken: (word: string) => boolean;

  /** @param isTaken Whether a word is never replaced, and must not be made. */
  constructor(key: Uint8Array, isTaken: (word: string) => boolean) {
    this.#randomByte = randomBytes(key);
    this.#isTaken = isTaken;
  }

  /** Replaces a word that is not taken by one that is not taken either. */
  replaceFree(word: string): string {
    let replaced = this.replace(word);
    // in its turn: so no two words, of whatever text, end at the same one
    while (this.#isTaken(replaced)) replaced = this.replace(replaced);
    return replaced;
  }

  /** Replaces any word, and does not mind what it becomes. */
  replace(word: string): string {
    let mayBeAddress = true;
    let node = this.#words;
    let replaced = "";
    let length = 0;
    for (const original of word) {
      let branch = node.branches.get(original);
      if (branch === undefined) {
        const pool = poolOf(original, mayBeAddress);
        const character = pool === undefined
          ? original
          : this.#choose(original, pool, node, replaced);
        const next = length < MAX_LENGTH ? new Node() : this.#rest;
        branch = { character, next };
        node.branches.set(original, branch);
        node.used.add(character);
      }
      mayBeAddress &&= length < MAX_LENGTH && HEXADECIMAL.test(original);
      replaced += branch.character;
      node = branch.next;
      length++;
    }
    return replaced;
  }

  /**
   * Chooses what stands for a character. The characters of a pool become one
   * circle, which is closed last, so that none has to stand for itself.
   */
  #choose(original: string, pool: Pool, node: Node, before: string): string {
    const isUnused = (character: string): boolean => !node.used.has(character);
    const unused = pool.filter(isUnused);
    const open = unused.filter((character) =>
      !node.leadsTo(character, original)
    );
    // nobody has as many letters of another script as a pool holds
    if (open.length === 0) return unused[0] ?? original;
    const first = this.#randomByte() * 256 + this.#randomByte();
    const shifted = open.map((_, n) => open[(first + n) % open.length] ?? "");
    return shifted.find((character) => !this.#isMade(before + character)) ??
      shifted[0] ?? original;
  }

  /** Prefers not to make a word that is taken: equal beginnings stay equal. */
  #isMade(word: string): boolean {
    return word.length <= MAX_KNOWN_LENGTH && this.#isTaken(word);
  }
}

/** @param mayBeAddress Whether all before the character may be an address. */
function poolOf(character: string, mayBeAddress: boolean): Pool | undefined {
  const isHexadecimal = HEXADECIMAL.test(character);
  if (/[a-z]/.test(character)) {
    if (!mayBeAddress) return LOWER;
    return isHexadecimal ? HEX_LOWER : OTHER_LOWER;
  }
  if (/[A-Z]/.test(character)) {
    if (!mayBeAddress) return UPPER;
    return isHexadecimal ? HEX_UPPER : OTHER_UPPER;
  }
  if (/[0-9]/.test(character)) return DIGITS;
  if (character < "\u0080") return undefined;
  const isWide = screenWidth(character) === 2;
  if (!/[\p{L}\p{N}]/u.test(character)) {
    const isPicture = character >= "\u{1f300}" && character < "\u{1faff}";
    return isPicture && isWide ? PICTURES : undefined;
  }
  if (character < "\u0800") return TWO_BYTES;
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
