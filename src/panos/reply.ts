/**
 * Finding the reply to a command in what a command line prints.
 *
 * Its echo comes first, once or twice, and the prompt behind it. What stands
 * before the echo was not asked for: the rest of an earlier reply, a message to
 * all. What stands behind a complete reply and a prompt is no part of it.
 *
 * @module
 */

import { looksLikePrompt, type Prompt } from "./prompt.ts";
import type { Screen } from "./screen.ts";

/** What was typed, and at which prompt. */
export interface Typed {
  readonly text: string;
  readonly prompt: Prompt;
  /** Whether nothing counts before the echo. */
  readonly needsEcho: boolean;
}

/** A prompt behind the echo. */
export interface PlacedPrompt {
  /** Of its line, from 0. */
  readonly index: number;
  readonly prompt: Prompt;
}

/** What has come of a reply. Each line is looked at once. */
export class Reply {
  readonly #screen: Screen;
  readonly #typed: Typed;
  /** Lines that were looked at. */
  #seen = 0;
  /** The first line behind the echo. */
  #start = 0;
  #isEchoed = false;
  #isAnswered = false;

  constructor(screen: Screen, typed: Typed) {
    this.#screen = screen;
    this.#typed = typed;
  }

  get isEchoed(): boolean {
    return this.#isEchoed;
  }

  /** Whether something was printed that can be an answer. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** Looks at the lines that are new; returns the prompts on them. */
  scan(): readonly PlacedPrompt[] {
    const { lines } = this.#screen;
    const { prompt, needsEcho } = this.#typed;
    const found: PlacedPrompt[] = [];
    for (; this.#seen < lines.length; this.#seen++) {
      const index = this.#seen;
      const line = lines[index] ?? "";
      if (this.#isEcho(line)) this.#passEcho(index);
      else if (needsEcho && !this.#isEchoed) continue;
      else {
        const shown = prompt.match(line) ?? prompt.matchStart(line);
        if (shown !== undefined) found.push({ index, prompt: shown });
        else if (!this.#isAnswered) this.#isAnswered = isAnswer(line);
      }
    }
    return found;
  }

  /**
   * The lines of the reply, without their ends.
   *
   * @param end Where they end: the line of a prompt.
   * @param last What has come since the last line end.
   */
  linesBefore(end: number, last = ""): readonly string[] {
    return [...this.#screen.lines.slice(this.#start, end), last];
  }

  /** The echo may come twice: when the line is read, and when it is executed. */
  #passEcho(index: number): void {
    if (this.#isEchoed && index !== this.#start) return;
    this.#isEchoed = true;
    this.#isAnswered = false;
    this.#start = index + 1;
  }

  #isEcho(line: string): boolean {
    const { text, prompt } = this.#typed;
    const typed = line.trimEnd();
    if (!typed.endsWith(text)) return false;
    const before = typed.slice(0, typed.length - text.length);
    return before.trim() === "" || looksLikePrompt(before) ||
      prompt.match(before) !== undefined;
  }
}

function isAnswer(line: string): boolean {
  return line.trim() !== "" && !looksLikePrompt(line);
}
