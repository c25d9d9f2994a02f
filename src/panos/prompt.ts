/**
 * The prompt of PAN-OS: `user@fw> `, `user@fw(active)> `, `user@fw vsys2> `.
 *
 * Its shape is not fixed, so it is learned at the login and known again.
 *
 * @module
 */

import { type HaState, toHaState } from "../model/high_availability.ts";

/** A longer line is no prompt, also with a message in front of it. */
export const MAX_PROMPT_LENGTH = 512;

const PROMPT_END = /[>#$%]\s*$/;

/** `user@host> `, `user@host(active)> `: nothing else is on the line. */
const USUAL = /^[^\s@]+@[^@>#]+[>#] ?$/;

const PARTS = /^(?<before>.*)\((?<word>[^()]*)\)(?<after>[^()]*)$/;

/** Whether a line may be a prompt: any line that ends like one. */
export function looksLikePrompt(line: string): boolean {
  return line.length <= MAX_PROMPT_LENGTH && PROMPT_END.test(line);
}

/** Whether a line is a prompt of the usual shape and holds nothing else. */
export function isUsualPrompt(line: string): boolean {
  return line.length <= MAX_PROMPT_LENGTH && USUAL.test(line);
}

/** Takes a whole line for a prompt. */
export function learnPrompt(line: string): Prompt {
  const text = line.trimEnd();
  const { before = "", word, after = "" } = PARTS.exec(text)?.groups ??
    { before: text.slice(0, -1), after: text.slice(-1) };
  return new Prompt({ before, word, after });
}

interface Parts {
  /** `user@fw` of `user@fw(active)>`. */
  readonly before: string;
  /** `active`; `undefined` without parentheses. */
  readonly word: string | undefined;
  /** `>` */
  readonly after: string;
}

/** A prompt as it was last seen. A failover changes what is in parentheses. */
export class Prompt {
  /** As printed, without the blank behind it. */
  readonly text: string;
  /** `undefined` unless the parentheses hold one of PAN-OS' words. */
  readonly haState: HaState | undefined;
  readonly #before: string;
  readonly #after: string;

  constructor({ before, word, after }: Parts) {
    const parentheses = word === undefined ? "" : `(${word})`;
    this.text = `${before}${parentheses}${after}`;
    this.haState = toHaState(word);
    this.#before = before;
    this.#after = after;
  }

  /**
   * Finds the prompt at the end of a line, where a message may stand in front
   * of it; or all of a line, if a message was in front when it was learned.
   *
   * @param line The line, or its end.
   * @returns The prompt as it is there.
   */
  match(line: string): Prompt | undefined {
    const text = line.trimEnd();
    if (!text.endsWith(this.#after)) return undefined;
    const rest = text.slice(0, text.length - this.#after.length);
    if (this.#isEndOf(rest)) return this.#with(undefined);
    const opening = rest.endsWith(")") ? rest.lastIndexOf("(") : -1;
    if (opening !== -1 && this.#isEndOf(rest.slice(0, opening))) {
      return this.#with(rest.slice(opening + 1, -1));
    }
    if (!isUsualPrompt(line)) return undefined;
    const other = learnPrompt(line);
    const isCore = other.#after === this.#after &&
      this.#before.endsWith(other.#before);
    return isCore ? other : undefined;
  }

  /** Finds the prompt at the start of a line that goes on behind it. */
  matchStart(line: string): Prompt | undefined {
    if (!this.#isDistinct() || !line.startsWith(this.#before)) return undefined;
    const rest = line.slice(this.#before.length, MAX_PROMPT_LENGTH);
    if (rest.startsWith(this.#after)) return this.#with(undefined);
    const word = /^\((?<word>[^()]*)\)/.exec(rest)?.groups?.["word"];
    if (word === undefined) return undefined;
    const isWhole = rest.startsWith(this.#after, word.length + 2);
    return isWhole ? this.#with(word) : undefined;
  }

  #with(word: string | undefined): Prompt {
    return new Prompt({ before: this.#before, word, after: this.#after });
  }

  #isEndOf(text: string): boolean {
    return this.#isDistinct()
      ? text.endsWith(this.#before)
      : text === this.#before;
  }

  /** Something like `>` ends many a line that is no prompt. */
  #isDistinct(): boolean {
    return this.#before.includes("@");
  }
}
